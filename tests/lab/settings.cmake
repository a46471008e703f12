# The subject of these tests is built with the command, and on Linux alone.
if(UPCALL_APPS AND CMAKE_SYSTEM_NAME STREQUAL "Linux")
  find_package(nlohmann_json REQUIRED)
  target_link_libraries(test_lab PRIVATE upcall_lab_core nlohmann_json::nlohmann_json)
else()
  set_target_properties(test_lab PROPERTIES EXCLUDE_FROM_ALL ON)
endif()
