# The subject of these tests is the upcall command, started as a process.
if(UPCALL_APPS AND NOT WIN32)
  add_dependencies(test_programs upcall_command)
else()
  set_target_properties(test_programs PROPERTIES EXCLUDE_FROM_ALL ON)
endif()
