/* The config file: libconfig's syntax, but flat, strict and of one file.  Before threads. */
#pragma once

#include "billingd/config_options.h"

/* Read the file LOAD->file into LOAD->config, up to what libconfig cannot go past.  Options that a
 * flag has set are checked too, but keep the flag's value.  What is wrong is said in LOAD. */
void config_file_load(struct config_load *load);
