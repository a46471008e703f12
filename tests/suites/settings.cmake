# The suites of `upcall sim` with planted bugs, which are off until a test asks for one.
if(UPCALL_APPS)
  target_link_libraries(test_suites PRIVATE upcall_sim_core_planted)
else()
  set_target_properties(test_suites PROPERTIES EXCLUDE_FROM_ALL ON)
endif()
