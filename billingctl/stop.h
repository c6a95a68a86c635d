/* Being asked to stop, by SIGINT or SIGTERM, while there is work that comes to an orderly end
 * first.  Main thread; owns how both are handled from then on. */
#pragma once

/* From now on the first SIGINT or SIGTERM is only noted, unless it is ignored; the next one, of
 * either kind, ends the program as it always does. */
void stop_catch(void);

/* The signal that was noted; 0: none. */
int stop_asked(void);
