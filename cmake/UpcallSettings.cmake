# Compiler settings of this build tree, and the rule by which a platform's sources are kept.
find_package(Threads REQUIRED)

add_library(upcall_warnings INTERFACE)
target_compile_options(upcall_warnings INTERFACE
  $<$<COMPILE_LANGUAGE:CXX>:-Wall -Wextra -Wconversion -Wsign-conversion -Wshadow -Werror>
  $<$<COMPILE_LANGUAGE:C>:-Wall -Wextra -Werror>)
# GCC 12 sees overlapping copies where a literal is put before a std::string (GCC bug 105651).
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  target_compile_options(upcall_warnings INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-Wno-restrict>)
endif()

if(UPCALL_SANITIZE)
  add_compile_options(-fsanitize=${UPCALL_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer -g1)
  add_link_options(-fsanitize=${UPCALL_SANITIZE})
endif()

# Fuzzing steers by the coverage of everything that is compiled here; what links upcall_fuzzer
# gets libFuzzer's main.
if(UPCALL_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
  add_library(upcall_fuzzer INTERFACE)
  target_link_options(upcall_fuzzer INTERFACE -fsanitize=fuzzer)
endif()

# Sources under a folder named after a platform belong to it alone; all others are portable.
function(upcall_keep_platform list)
  set(kept ${${list}})
  if(WIN32)
    list(FILTER kept EXCLUDE REGEX "/(posix|linux|uring|readiness|files|blocking)/")
  else()
    list(FILTER kept EXCLUDE REGEX "/(windows|iocp)/")
  endif()
  set(${list} ${kept} PARENT_SCOPE)
endfunction()
