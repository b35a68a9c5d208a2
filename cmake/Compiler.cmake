# Compiler, warnings and hardening.

if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang" OR CMAKE_CXX_COMPILER_VERSION VERSION_LESS 19)
  message(FATAL_ERROR
    "Cubelet is built with clang 19 or newer, not ${CMAKE_CXX_COMPILER_ID} ${CMAKE_CXX_COMPILER_VERSION}: "
    "g++ 12 miscompiles several co_await expressions (docs/traps/gcc-co-await.md). "
    "Use a preset: cmake --preset release")
endif()

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -DNDEBUG")
set(CMAKE_CXX_FLAGS_DEBUG "-O0 -gline-tables-only")
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)

set(CUBELET_SANITIZE "" CACHE STRING "Sanitizers, comma separated: address,undefined or thread")

find_program(CUBELET_CCACHE ccache)
if(CUBELET_CCACHE)
  # Paths relative to the source tree, so that build folders share what they have compiled.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env
    CCACHE_BASEDIR=${PROJECT_SOURCE_DIR} CCACHE_NOHASHDIR=true
    CCACHE_SLOPPINESS=pch_defines,time_macros ${CUBELET_CCACHE})
endif()
# mold links fastest; what ships is linked by lld, which packs relocations in the form that glibc loads.
find_program(CUBELET_MOLD mold)
if(CUBELET_MOLD AND NOT CMAKE_BUILD_TYPE STREQUAL "Release")
  add_link_options(-fuse-ld=mold)
else()
  add_link_options(-fuse-ld=lld -Wl,--icf=safe -Wl,-z,pack-relative-relocs)
endif()

# Sections of their own let the linker drop what is unused of the static libraries.
add_compile_options(-ffunction-sections -fdata-sections -fno-omit-frame-pointer)
add_link_options(-Wl,--gc-sections)

# What ships is hardened.
include(CheckPIESupported)
check_pie_supported()
add_compile_options(-fstack-protector-strong)
add_link_options(-Wl,-z,relro,-z,now,-z,noexecstack)
if(CMAKE_BUILD_TYPE STREQUAL "Release")
  add_compile_options(-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
endif()

# Coverage for the fuzzers has to be in everything they reach.
if(CUBELET_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
if(CUBELET_SANITIZE)
  add_compile_options(-fsanitize=${CUBELET_SANITIZE} -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${CUBELET_SANITIZE})
endif()

# Warnings for our own code only; generated code is compiled with -w.
add_library(cubelet_warnings INTERFACE)
# A designated initializer that names some fields means the defaults of the others. libstdc++ 12's own std::stable_sort
# uses what clang 19 reports as deprecated.
target_compile_options(cubelet_warnings INTERFACE
  -Wall -Wextra -Wconversion -Wno-sign-conversion -Wno-missing-designated-field-initializers
  -Wno-deprecated-declarations -Wthread-safety -Werror)
