# Compiler settings of this build tree, and the rule by which a platform's sources are kept.
find_package(Threads REQUIRED)

add_library(upcall_warnings INTERFACE)
target_compile_options(upcall_warnings INTERFACE
  $<$<COMPILE_LANGUAGE:CXX>:-Wall -Wextra -Wconversion -Wshadow -Werror>
  $<$<COMPILE_LANGUAGE:C>:-Wall -Wextra -Werror>)

if(UPCALL_SANITIZE)
  add_compile_options(-fsanitize=${UPCALL_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer -g1)
  add_link_options(-fsanitize=${UPCALL_SANITIZE})
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
