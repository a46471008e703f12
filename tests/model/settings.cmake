# The few rooms that programs of the model run are compiled a second time, with every access and
# atomic operation calling the checker; ThreadSanitizer's own runtime is not linked.
set(model_sources)
foreach(part base/*.cpp op/*.cpp loop/*.cpp pool/*.cpp task/*.cpp sync/*.cpp driver/driver.cpp
        driver/posix/pool_route.cpp)
  file(GLOB found CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/${part})
  list(APPEND model_sources ${found})
endforeach()
file(GLOB checker CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/model/checker/*.cpp)
add_library(upcall_model_checker OBJECT ${checker})
target_include_directories(upcall_model_checker PRIVATE
  ${PROJECT_SOURCE_DIR}/tests ${PROJECT_SOURCE_DIR}/include)
target_compile_features(upcall_model_checker PRIVATE cxx_std_23)
target_link_libraries(upcall_model_checker PRIVATE upcall_warnings)

target_sources(test_model PRIVATE ${model_sources})
target_compile_options(test_model PRIVATE -fsanitize=thread -g1 -O2)
target_link_libraries(test_model PRIVATE upcall_model_checker ${CMAKE_DL_LIBS})
