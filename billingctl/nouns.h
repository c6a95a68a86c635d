/* What runs when a command of the table is given: one file a noun, customer.c and so on, and job.c.
 *
 * Each function gets a command line that fits its row of the table, prints its result on standard
 * output, says what went wrong on standard error, and returns how billingctl ends: an enum
 * ctl_exit, or CTL_SIGNAL + the signal that ended it.  Main thread. */
#pragma once

struct ctl;

int customer_create(struct ctl *ctl);
int customer_get(struct ctl *ctl);
int customer_list(struct ctl *ctl);
int customer_rename(struct ctl *ctl);

int usage_create(struct ctl *ctl);
int usage_get(struct ctl *ctl);
int usage_list(struct ctl *ctl);
int usage_void(struct ctl *ctl);
int usage_summary(struct ctl *ctl);
int usage_import(struct ctl *ctl);
int usage_export(struct ctl *ctl);

int adjustment_create(struct ctl *ctl);
int adjustment_list(struct ctl *ctl);

int bill_show(struct ctl *ctl);
int bill_list(struct ctl *ctl);

int invoice_finalize(struct ctl *ctl);
int invoice_list(struct ctl *ctl);
int invoice_show(struct ctl *ctl);
int invoice_verify(struct ctl *ctl);

int service_add(struct ctl *ctl);
int service_get(struct ctl *ctl);
int service_list(struct ctl *ctl);
int service_remove(struct ctl *ctl);

int request_show(struct ctl *ctl);

int key_create(struct ctl *ctl);
int key_list(struct ctl *ctl);
int key_revoke(struct ctl *ctl);

int server_info(struct ctl *ctl);
int server_health(struct ctl *ctl);
int server_backup(struct ctl *ctl);
int server_verify(struct ctl *ctl);
int server_cancel(struct ctl *ctl);

int completion_bash(struct ctl *ctl);
int completion_zsh(struct ctl *ctl);
int completion_fish(struct ctl *ctl);

int help_show(struct ctl *ctl);
