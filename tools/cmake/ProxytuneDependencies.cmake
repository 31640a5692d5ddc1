# Finds what the rooms hide. Each library is found once, here, and reaches only the rooms that name its target.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(ZLIB REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(CLI11 REQUIRED)
find_package(MPI REQUIRED COMPONENTS C CXX)
find_package(Boost REQUIRED COMPONENTS mpi serialization)
pkg_check_modules(xxhash REQUIRED IMPORTED_TARGET libxxhash)
# ITK brings a serial HDF5 of its own: the parallel one is found by pkg-config, before and apart from it.
pkg_search_module(hdf5 REQUIRED IMPORTED_TARGET hdf5-openmpi hdf5-mpich hdf5)

# ITK's variables and factory files stay inside this function and this one target.
function(proxytune_find_itk)
  # Debian's GDCM package announces, 400 lines long, that its command line tools are packaged apart.
  set(CMAKE_MESSAGE_LOG_LEVEL NOTICE)
  find_package(ITK REQUIRED COMPONENTS
    ITKCommon ITKIOImageBase ITKIONIFTI ITKIONRRD ITKIOMeta ITKIOGIPL ITKIOVTK ITKIOMRC ITKIOTIFF ITKIOStimulate
    ITKIOBioRad ITKIOGDCM ITKGDCM ITKImageGrid ITKImageFunction)
  add_library(proxytune_itk INTERFACE)
  target_include_directories(proxytune_itk SYSTEM INTERFACE ${ITK_INCLUDE_DIRS})
  target_link_libraries(proxytune_itk INTERFACE ${ITK_LIBRARIES})
endfunction()
proxytune_find_itk()

# LibTorch from the wheel that tools/setup.sh unpacks, or the user's own site-packages folder.
set(PROXYTUNE_LIBTORCH "" CACHE PATH "folder that holds torch/ (site-packages of a PyPI wheel); empty: the environment's, or tools/setup.sh's")
if(NOT PROXYTUNE_LIBTORCH AND DEFINED ENV{PROXYTUNE_LIBTORCH})
  file(REAL_PATH "$ENV{PROXYTUNE_LIBTORCH}" PROXYTUNE_LIBTORCH)
endif()
if(NOT PROXYTUNE_LIBTORCH)
  set(PROXYTUNE_LIBTORCH ${CMAKE_SOURCE_DIR}/.deps/libtorch)
endif()
if(NOT EXISTS ${PROXYTUNE_LIBTORCH}/torch/include/torch/csrc/api/include/torch/torch.h)
  message(FATAL_ERROR "no LibTorch in ${PROXYTUNE_LIBTORCH}: run tools/setup.sh, or give -DPROXYTUNE_LIBTORCH=/path/to/site-packages (the folder that holds torch/)")
endif()
add_library(proxytune_torch INTERFACE)
target_include_directories(proxytune_torch SYSTEM INTERFACE
  ${PROXYTUNE_LIBTORCH}/torch/include ${PROXYTUNE_LIBTORCH}/torch/include/torch/csrc/api/include)
set(_torch_lib ${PROXYTUNE_LIBTORCH}/torch/lib)
file(GLOB _torch_extra LIST_DIRECTORIES true ${PROXYTUNE_LIBTORCH}/nvidia/*/lib)
target_link_directories(proxytune_torch INTERFACE ${_torch_lib})
target_link_options(proxytune_torch INTERFACE "LINKER:-rpath,${_torch_lib}")
foreach(_folder IN LISTS _torch_extra)
  target_link_options(proxytune_torch INTERFACE "LINKER:-rpath-link,${_folder}" "LINKER:-rpath,${_folder}")
endforeach()
target_link_options(proxytune_torch INTERFACE "LINKER:-rpath-link,${_torch_lib}")
target_link_libraries(proxytune_torch INTERFACE ${_torch_lib}/libtorch_cpu.so ${_torch_lib}/libc10.so)
if(PROXYTUNE_CUDA)
  if(NOT EXISTS ${_torch_lib}/libtorch_cuda.so)
    message(FATAL_ERROR "PROXYTUNE_CUDA is ON but the LibTorch in ${PROXYTUNE_LIBTORCH} has no CUDA part: run tools/setup.sh --cuda")
  endif()
  # Nothing of it is called by name: it registers its kernels when it is loaded.
  target_link_options(proxytune_torch INTERFACE "LINKER:--no-as-needed,${_torch_lib}/libtorch_cuda.so,--as-needed")
  target_link_libraries(proxytune_torch INTERFACE ${_torch_lib}/libtorch.so ${_torch_lib}/libc10_cuda.so)
endif()
