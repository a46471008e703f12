# llhttp, the HTTP/1 parser, from the C sources in Debian's node-llhttp: the installed
# package, or its content unpacked below build/deps by ./dev setup.
if(TARGET upcall_llhttp)
  return()
endif()
set(UPCALL_LLHTTP_DIR "" CACHE PATH "Root of an unpacked node-llhttp package")

find_path(UPCALL_LLHTTP_SOURCES llhttp.c NO_DEFAULT_PATH NO_CMAKE_FIND_ROOT_PATH
  PATHS ${UPCALL_LLHTTP_DIR} /usr ${PROJECT_SOURCE_DIR}/build/deps/llhttp
  PATH_SUFFIXES usr/share/llhttp share/llhttp)
find_path(UPCALL_LLHTTP_INCLUDE llhttp.h NO_DEFAULT_PATH NO_CMAKE_FIND_ROOT_PATH
  PATHS ${UPCALL_LLHTTP_SOURCES}/../include/llhttp)
mark_as_advanced(UPCALL_LLHTTP_SOURCES UPCALL_LLHTTP_INCLUDE)
if(NOT UPCALL_LLHTTP_SOURCES OR NOT UPCALL_LLHTTP_INCLUDE)
  message(FATAL_ERROR "llhttp's sources were not found: run ./dev setup, install node-llhttp, "
    "or set UPCALL_LLHTTP_DIR to the root of the unpacked package")
endif()

add_library(upcall_llhttp STATIC
  ${UPCALL_LLHTTP_SOURCES}/api.c
  ${UPCALL_LLHTTP_SOURCES}/http.c
  ${UPCALL_LLHTTP_SOURCES}/llhttp.c)
target_include_directories(upcall_llhttp SYSTEM PUBLIC ${UPCALL_LLHTTP_INCLUDE})
target_compile_options(upcall_llhttp PRIVATE -w)
set_target_properties(upcall_llhttp PROPERTIES C_STANDARD 11 POSITION_INDEPENDENT_CODE ON)
