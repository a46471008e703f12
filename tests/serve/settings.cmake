# The subject of these tests is built with the command.
if(UPCALL_APPS)
  target_link_libraries(test_serve PRIVATE upcall_serve)
else()
  set_target_properties(test_serve PROPERTIES EXCLUDE_FROM_ALL ON)
endif()
