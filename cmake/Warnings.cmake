# billing_options: the warnings that our own code is held to, never generated or foreign code.
option(BILLING_WERROR "Treat warnings as errors" OFF)

add_library(billing_options INTERFACE)
target_compile_options(billing_options INTERFACE
  -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wundef
  -Wcast-qual -Wwrite-strings -Wformat=2 -Wimplicit-fallthrough
  $<$<BOOL:${BILLING_WERROR}>:-Werror>)
target_include_directories(billing_options INTERFACE ${PROJECT_SOURCE_DIR})
