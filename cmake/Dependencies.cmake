# Everything comes from Debian 12. gRPC, protobuf, Abseil, RE2 and yaml-cpp are linked statically (an agent that shares
# them with nobody costs less memory that way); OpenSSL, nghttp2, libsystemd and libmount stay shared so that the
# distribution patches them.

find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
find_package(ZLIB REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(Boost 1.81 REQUIRED)
find_package(absl REQUIRED)
find_package(GTest REQUIRED)
find_package(spdlog REQUIRED)
find_package(CLI11 REQUIRED)
find_package(prometheus-cpp REQUIRED)
pkg_check_modules(MOUNT REQUIRED IMPORTED_TARGET mount)
pkg_check_modules(NGHTTP2 REQUIRED IMPORTED_TARGET libnghttp2)
pkg_check_modules(SYSTEMD REQUIRED IMPORTED_TARGET libsystemd)

# Abseil is some sixty libraries: shared, each would cost a mapping, relocations and pages of its own.
get_property(imported DIRECTORY PROPERTY IMPORTED_TARGETS)
foreach(target ${imported})
  if(NOT target MATCHES "^absl::")
    continue()
  endif()
  get_target_property(type ${target} TYPE)
  if(type STREQUAL "INTERFACE_LIBRARY")
    continue()
  endif()
  string(REPLACE "absl::" "" name ${target})
  find_library(archive_absl_${name} NAMES libabsl_${name}.a REQUIRED)
  foreach(configuration NONE RELEASE RELWITHDEBINFO DEBUG)
    set_target_properties(${target} PROPERTIES IMPORTED_LOCATION_${configuration} ${archive_absl_${name}})
  endforeach()
  set_target_properties(${target} PROPERTIES IMPORTED_LOCATION ${archive_absl_${name}})
endforeach()

# Debian's CMake packages of these name the shared objects; the archives lie beside them.
function(cubelet_archive target)
  cmake_parse_arguments(arg "" "" "FILES;LIBS" ${ARGN})
  add_library(${target} INTERFACE)
  foreach(name ${arg_FILES})
    find_library(archive_${name} NAMES lib${name}.a REQUIRED)
    target_link_libraries(${target} INTERFACE ${archive_${name}})
  endforeach()
  target_link_libraries(${target} INTERFACE ${arg_LIBS})
endfunction()

cubelet_archive(cubelet_protobuf FILES protobuf LIBS ZLIB::ZLIB Threads::Threads)
cubelet_archive(cubelet_re2 FILES re2 LIBS Threads::Threads)
cubelet_archive(cubelet_yaml FILES yaml-cpp)
# The runtime's socket is local: gRPC without its own TLS is a smaller library.
cubelet_archive(cubelet_grpc
  FILES grpc++_unsecure grpc_unsecure gpr address_sorting upb cares
  LIBS cubelet_protobuf cubelet_re2 ZLIB::ZLIB Threads::Threads rt dl
       absl::statusor absl::bind_front absl::flat_hash_map absl::flat_hash_set absl::any_invocable absl::synchronization
       absl::hash absl::cleanup absl::inlined_vector absl::time absl::strings absl::str_format absl::optional
       absl::function_ref absl::span absl::utility absl::memory absl::random_random)

add_library(cubelet_absl INTERFACE)
target_link_libraries(cubelet_absl INTERFACE
  absl::status absl::statusor absl::strings absl::str_format absl::time absl::flat_hash_map absl::flat_hash_set
  absl::any_invocable absl::cleanup absl::btree absl::span absl::function_ref absl::random_random)

# Boost is used for its headers only: Asio, Beast, JSON.
add_library(cubelet_boost INTERFACE)
target_link_libraries(cubelet_boost INTERFACE Boost::headers Threads::Threads)
target_compile_definitions(cubelet_boost INTERFACE
  BOOST_ASIO_NO_DEPRECATED BOOST_ASIO_SEPARATE_COMPILATION BOOST_BEAST_SEPARATE_COMPILATION)

# spdlog and fmt as headers: one shared library less.
add_library(cubelet_spdlog INTERFACE)
target_include_directories(cubelet_spdlog SYSTEM INTERFACE
  $<TARGET_PROPERTY:spdlog::spdlog_header_only,INTERFACE_INCLUDE_DIRECTORIES>)
target_compile_definitions(cubelet_spdlog INTERFACE SPDLOG_FMT_EXTERNAL FMT_HEADER_ONLY)
