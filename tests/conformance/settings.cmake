# The cases stand in folders of their own; those for every platform are in `everywhere`. They are
# small and include the same, so that compiling a folder at once saves most of the time.
file(GLOB cases CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/conformance/everywhere/*.cpp)
if(NOT WIN32)
  file(GLOB posix_cases CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/conformance/posix/*/*.cpp)
  list(APPEND cases ${posix_cases})
endif()
foreach(case ${cases})
  cmake_path(GET case PARENT_PATH folder)
  cmake_path(GET folder FILENAME folder)
  set_source_files_properties(${case} PROPERTIES UNITY_GROUP ${folder})
endforeach()
target_sources(test_conformance PRIVATE ${cases})
set_target_properties(test_conformance PROPERTIES UNITY_BUILD ON UNITY_BUILD_MODE GROUP)
# Compiled together, every file counts as included, and GCC takes their lambdas for a header's.
target_compile_options(test_conformance PRIVATE $<$<CXX_COMPILER_ID:GNU>:-Wno-subobject-linkage>)
