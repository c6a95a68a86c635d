# BILLING_FUZZ=ON, with clang: the targets of tests/fuzz become libFuzzer programs, and all that they
# link is instrumented for it, under the address and undefined behaviour sanitizers unless said.
option(BILLING_FUZZ "Build tests/fuzz for libFuzzer" OFF)
if(BILLING_FUZZ)
  if(NOT CMAKE_C_COMPILER_ID STREQUAL "Clang")
    message(FATAL_ERROR "BILLING_FUZZ needs clang")
  endif()
  set(BILLING_SANITIZE "address;undefined" CACHE STRING "Sanitizers")
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

# BILLING_SANITIZE="address;undefined" or "thread" instruments everything that is compiled here.
set(BILLING_SANITIZE "" CACHE STRING "Sanitizers, a list: address;undefined or thread")

if(BILLING_SANITIZE)
  string(REPLACE ";" "," sanitizers "${BILLING_SANITIZE}")
  add_compile_options(-fsanitize=${sanitizers} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${sanitizers})
  add_compile_definitions(BILLING_SANITIZED)
endif()
