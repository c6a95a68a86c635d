# billing_options: what our own code is compiled with, never generated or foreign code: warnings, the
# system's own extensions (struct ucred, thread names), and the top as include directory.
option(BILLING_WERROR "Treat warnings as errors" OFF)

add_library(billing_options INTERFACE)
target_compile_options(billing_options INTERFACE
  -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wundef
  -Wcast-qual -Wwrite-strings -Wformat=2 -Wimplicit-fallthrough
  $<$<BOOL:${BILLING_WERROR}>:-Werror>)
target_include_directories(billing_options INTERFACE ${PROJECT_SOURCE_DIR})
target_compile_definitions(billing_options INTERFACE _GNU_SOURCE)
