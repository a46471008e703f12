# Hardening of release programs: flags for what links upcall_hardening, never for the library,
# whose consumers choose their own. None of them changes a layout or a calling convention, so
# hardened programs and plain objects link together.
#
# With GCC 12 -ftrivial-auto-var-init=zero is left out: it clears what it takes for padding of a
# returned object at the wrong offsets, and so destroys values (seen on a range's last byte).
# -ftrivial-auto-var-init=zero clears every local variable, large buffers included. Programs
# afford that; the library's data path would pay for it once per operation.
option(UPCALL_HARDENING "Harden the programs of apps/ and examples/" ON)

add_library(upcall_hardening INTERFACE)
# Sanitizers replace these checks with better ones, and lose sight of fortified calls.
if(UPCALL_HARDENING AND NOT WIN32 AND NOT UPCALL_SANITIZE)
  target_compile_options(upcall_hardening INTERFACE
    -fPIE
    -fstack-protector-strong
    -fno-delete-null-pointer-checks
    -fno-strict-overflow
    -fno-strict-aliasing
    $<$<CXX_COMPILER_ID:Clang>:-ftrivial-auto-var-init=zero>
    -Wformat=2 -Werror=format-security)
  if(CMAKE_SYSTEM_NAME STREQUAL "Linux")
    target_compile_options(upcall_hardening INTERFACE -fstack-clash-protection)
    if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64|i.86")
      target_compile_options(upcall_hardening INTERFACE -fcf-protection=full)
    endif()
    target_link_options(upcall_hardening INTERFACE
      -pie -Wl,-z,relro,-z,now,-z,noexecstack,-z,separate-code,--as-needed)
  endif()
  target_compile_definitions(upcall_hardening INTERFACE _GLIBCXX_ASSERTIONS)
  # glibc refuses to fortify unoptimized code.
  target_compile_options(upcall_hardening INTERFACE
    $<$<NOT:$<CONFIG:Debug>>:-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3>)
endif()

# Links every program of a folder and of the folders below it, and the parts that programs are
# made of, with upcall_hardening.
function(upcall_harden_programs folder)
  get_property(targets DIRECTORY ${folder} PROPERTY BUILDSYSTEM_TARGETS)
  foreach(target ${targets})
    get_target_property(type ${target} TYPE)
    if(type MATCHES "^(EXECUTABLE|STATIC_LIBRARY|OBJECT_LIBRARY)$")
      target_link_libraries(${target} PRIVATE upcall_hardening)
    endif()
  endforeach()
  get_property(subfolders DIRECTORY ${folder} PROPERTY SUBDIRECTORIES)
  foreach(subfolder ${subfolders})
    upcall_harden_programs(${subfolder})
  endforeach()
endfunction()
