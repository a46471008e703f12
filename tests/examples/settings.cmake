# The subjects of these tests are the programs of examples/, started as processes.
if(UPCALL_EXAMPLES AND NOT WIN32)
  set(UPCALL_TESTED_EXAMPLES chat_server copy_file durable_log echo_server pipeline
      simulated_server tcp_proxy three_styles timeouts twenty_lines)
  add_dependencies(test_examples ${UPCALL_TESTED_EXAMPLES})
else()
  set_target_properties(test_examples PROPERTIES EXCLUDE_FROM_ALL ON)
endif()
