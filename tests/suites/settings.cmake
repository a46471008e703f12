# The suites of `upcall sim` with planted bugs, which are off until a test asks for one.
if(UPCALL_APPS)
  target_link_libraries(test_suites PRIVATE upcall_sim_core_planted)
else()
  set_target_properties(test_suites PROPERTIES EXCLUDE_FROM_ALL ON)
endif()

# Failures of before that are kept, by the command as it is installed.
if(UPCALL_APPS)
  foreach(suite race system)
    add_test(NAME suites/saved_cases_of_${suite}
      COMMAND upcall_command sim --suite ${suite}
        --replay ${PROJECT_SOURCE_DIR}/tests/suites/saved/${suite})
  endforeach()
endif()

# Seeds that nobody has run before, for the tree of ./dev test, which tells the first of them.
option(UPCALL_FRESH_SEEDS "Run the suites of upcall sim with seeds drawn anew as tests" OFF)
if(UPCALL_APPS AND UPCALL_FRESH_SEEDS)
  foreach(run race:1000 system:50)
    string(REPLACE ":" ";" run ${run})
    list(GET run 0 suite)
    list(GET run 1 seeds)
    add_test(NAME suites/fresh_seeds_of_${suite}
      COMMAND upcall_command sim --suite ${suite} --seeds ${seeds} --fresh)
    set_tests_properties(suites/fresh_seeds_of_${suite} PROPERTIES TIMEOUT 300 PROCESSORS 2)
  endforeach()
endif()
