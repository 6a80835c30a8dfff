# SPDX-License-Identifier: Apache-2.0
# The sources of auth.so without its entry, so that a test sees what the module hides.
set(auth_sources middleware/auth_support.c)
foreach(name IN ITEMS auth auth_base64url auth_caller auth_claims auth_fetch auth_grant auth_jwks
                      auth_jwt auth_key auth_key_numbers auth_keys auth_keyset auth_options)
  list(APPEND auth_sources ../middleware/${name}.c)
endforeach()

foreach(name IN ITEMS auth_certificates auth_jwks auth_jwt auth_key)
  isw_test(middleware/${name} STACK worker SOURCES ${auth_sources} USES jose jansson curl crypto)
endforeach()
foreach(name IN ITEMS auth auth_rotation auth_tokens)
  isw_test(middleware/${name} STACK worker SOURCES ${auth_sources} middleware/auth_worker.c
           USES jose jansson curl crypto)
endforeach()

target_compile_definitions(test_middleware_auth PRIVATE
  ISW_TEST_AUTH_MODULE="$<TARGET_FILE:isw_middleware_auth>")
add_dependencies(test_middleware_auth isw_middleware_auth)
