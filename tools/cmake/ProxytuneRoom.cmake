# A room is a static library made of src/<room>/*.cpp with its public headers in include/proxytune/<room>.
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
find_program(PROXYTUNE_CCACHE ccache)
if(PROXYTUNE_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${PROXYTUNE_CCACHE})
endif()

add_library(proxytune_flags INTERFACE)
target_compile_options(proxytune_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion
  # GCC 12 sees overlaps in std::string's operator+ that are not there (GCC bug 105651).
  -Wno-restrict
  # One result on every machine and at every optimisation level: no fused multiply-adds behind our back. (And no
  # errno from sqrt, which would forbid vectors.)
  -ffp-contract=off -fno-math-errno
  $<$<BOOL:${PROXYTUNE_WERROR}>:-Werror>)

# LibTorch's headers cost 12 s and 1.3 GB a source: at most two of those at once, and precompiled where a room has several.
set_property(GLOBAL PROPERTY JOB_POOLS torch_pool=2)

set(PROXYTUNE_CCACHE_OF_PRECOMPILED ${CMAKE_COMMAND} -E env
  CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime ${PROXYTUNE_CCACHE})

# One precompiled torch/torch.h, made by the first target that asks, serves all targets with equal flags.
function(proxytune_precompile_torch target)
  set_target_properties(${target} PROPERTIES JOB_POOL_COMPILE torch_pool)
  if(NOT TARGET proxytune_torch_header)
    file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/torch_header.cpp CONTENT "")
    add_library(proxytune_torch_header OBJECT ${CMAKE_BINARY_DIR}/torch_header.cpp)
    target_link_libraries(proxytune_torch_header PRIVATE proxytune_torch proxytune_flags Threads::Threads)
    target_precompile_headers(proxytune_torch_header PRIVATE <torch/torch.h>)
    set_target_properties(proxytune_torch_header PROPERTIES POSITION_INDEPENDENT_CODE OFF)
    target_compile_options(proxytune_torch_header PRIVATE -fPIC -fpch-preprocess)
  endif()
  target_precompile_headers(${target} REUSE_FROM proxytune_torch_header)
  # Programs too, since -fPIE would ask for a second precompiled header.
  set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE OFF)
  target_compile_options(${target} PRIVATE -fPIC -fpch-preprocess)
  if(PROXYTUNE_CCACHE)
    set_target_properties(${target} PROPERTIES CXX_COMPILER_LAUNCHER "${PROXYTUNE_CCACHE_OF_PRECOMPILED}")
  endif()
endfunction()

# Compiler options of the sources whose names end in this suffix. They see no precompiled header, which is made without.
function(proxytune_newer_sources suffix options)
  set(newer ${ARGN})
  list(FILTER newer INCLUDE REGEX "${suffix}\\.cpp$")
  if(newer)
    set_source_files_properties(${newer} PROPERTIES COMPILE_OPTIONS "${options}" SKIP_PRECOMPILE_HEADERS ON)
  endif()
endfunction()

# Loops that are compiled for several instruction sets (ops/clones.h): nobody reads floating-point exceptions, and where a
# comparison may raise one, GCC makes no AVX2 vectors of the loop around it. No value changes.
function(proxytune_cloned_sources)
  foreach(source IN LISTS ARGN)
    file(STRINGS ${source} clones REGEX "^PROXYTUNE_CLONES")
    if(clones)
      set_source_files_properties(${source} PROPERTIES COMPILE_OPTIONS -fno-trapping-math SKIP_PRECOMPILE_HEADERS ON)
    endif()
  endforeach()
endfunction()

function(proxytune_room name)
  cmake_parse_arguments(ROOM "" "" "USES;HIDES;SHOWS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${name}/*.cpp)
  if(NOT sources)
    add_library(proxytune_${name} INTERFACE)
    target_include_directories(proxytune_${name} INTERFACE ${CMAKE_SOURCE_DIR}/include)
    foreach(used IN LISTS ROOM_USES)
      target_link_libraries(proxytune_${name} INTERFACE proxytune_${used})
    endforeach()
    return()
  endif()
  proxytune_cloned_sources(${sources})
  # Sources for newer processors than the baseline; a dispatcher in the room calls them where the processor can.
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
    # GCC 12 takes the undefined registers in its own headers for mistakes (GCC bug 105593).
    set(avx512 -mavx512f -mavx512bw -mavx512dq -mavx512vl -mprefer-vector-width=512 -Wno-uninitialized -Wno-maybe-uninitialized)
    proxytune_newer_sources(_avx2 "-mavx2" ${sources})
    proxytune_newer_sources(_avx2fma "-mavx2;-mfma" ${sources})
    proxytune_newer_sources(_avx512 "${avx512}" ${sources})
    proxytune_newer_sources(_avx512bf16 "${avx512};-mavx512bf16" ${sources})
    proxytune_newer_sources(_amx "${avx512};-mamx-tile;-mamx-bf16" ${sources})
    set(x86 PROXYTUNE_X86_KERNELS)
  else()
    list(FILTER sources EXCLUDE REGEX "_(avx2|avx2fma|avx512|avx512bf16|amx)\\.cpp$")
    set(x86)
  endif()
  add_library(proxytune_${name} STATIC ${sources})
  target_compile_definitions(proxytune_${name} PRIVATE ${x86})
  target_include_directories(proxytune_${name} PUBLIC ${CMAKE_SOURCE_DIR}/include PRIVATE ${CMAKE_SOURCE_DIR}/src)
  foreach(used IN LISTS ROOM_USES)
    if(NOT TARGET proxytune_${used})
      message(FATAL_ERROR "room ${name} uses ${used}, which is not declared above it")
    endif()
    target_link_libraries(proxytune_${name} PUBLIC proxytune_${used})
  endforeach()
  target_link_libraries(proxytune_${name} PUBLIC ${ROOM_SHOWS} PRIVATE ${ROOM_HIDES} proxytune_flags Threads::Threads)
  if("proxytune_torch" IN_LIST ROOM_SHOWS OR "proxytune_torch" IN_LIST ROOM_HIDES)
    proxytune_precompile_torch(proxytune_${name})
  endif()
  if(COMMAND proxytune_kernels)
    proxytune_kernels(${name})
  endif()
endfunction()

function(proxytune_program name)
  cmake_parse_arguments(PROGRAM "" "" "USES" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/jobs/*.cpp)
  if(NOT sources)
    return()
  endif()
  list(FILTER sources EXCLUDE REGEX "/main\\.cpp$")
  # The jobs are a library of their own so that tests reach them; main.cpp makes the program.
  add_library(proxytune_jobs STATIC ${sources})
  target_include_directories(proxytune_jobs PUBLIC ${CMAKE_SOURCE_DIR}/include ${CMAKE_SOURCE_DIR})
  # Linked, but not seen: jobs know the rooms' own headers only. (LibTorch's folder also holds a fmt of its own, which
  # must not come before ours.)
  foreach(used IN LISTS PROGRAM_USES)
    target_link_libraries(proxytune_jobs PUBLIC $<LINK_ONLY:proxytune_${used}>)
  endforeach()
  target_link_libraries(proxytune_jobs PRIVATE proxytune_flags fmt::fmt)
  execute_process(COMMAND git describe --always --dirty --abbrev=12 WORKING_DIRECTORY ${CMAKE_SOURCE_DIR}
                  OUTPUT_VARIABLE revision OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  set_source_files_properties(${CMAKE_SOURCE_DIR}/jobs/version.cpp PROPERTIES COMPILE_DEFINITIONS
                              "PROXYTUNE_VERSION=\"${PROJECT_VERSION} ${revision}\"")
  add_executable(${name} ${CMAKE_SOURCE_DIR}/jobs/main.cpp)
  target_link_libraries(${name} PRIVATE proxytune_jobs proxytune_flags)
endfunction()
