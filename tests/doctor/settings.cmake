# The subject of these tests is built with the command.
if(UPCALL_APPS)
  find_package(nlohmann_json REQUIRED)
  target_link_libraries(test_doctor PRIVATE upcall_doctor_core nlohmann_json::nlohmann_json)
else()
  set_target_properties(test_doctor PROPERTIES EXCLUDE_FROM_ALL ON)
endif()
