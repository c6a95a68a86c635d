# BILLING_SANITIZE="address;undefined" or "thread" instruments everything that is compiled here.
set(BILLING_SANITIZE "" CACHE STRING "Sanitizers, a list: address;undefined or thread")

if(BILLING_SANITIZE)
  string(REPLACE ";" "," sanitizers "${BILLING_SANITIZE}")
  add_compile_options(-fsanitize=${sanitizers} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${sanitizers})
  add_compile_definitions(BILLING_SANITIZED)
endif()
