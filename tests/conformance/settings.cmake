# The cases stand in folders of their own; those for every platform are in `everywhere`. Each is
# small and they all include the same, so that compiling some together saves most of the time.
file(GLOB cases CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/conformance/everywhere/*.cpp)
if(NOT WIN32)
  file(GLOB posix_cases CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/conformance/posix/*/*.cpp)
  list(APPEND cases ${posix_cases})
endif()
target_sources(test_conformance PRIVATE ${cases})
set_target_properties(test_conformance PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 10)
