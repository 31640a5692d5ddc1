# Tests of the real program under mpiexec, written with Python's unittest: one CTest a file, which makes its scratch
# data once. Further arguments are the file's.
find_package(Python3 REQUIRED COMPONENTS Interpreter)

function(proxytune_program_test name file)
  add_test(NAME ${name} COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_SOURCE_DIR}/${file} ${ARGN})
  set_tests_properties(${name} PROPERTIES
    ENVIRONMENT "PROXYTUNE_PROGRAM=$<TARGET_FILE:proxytune>;PROXYTUNE_MPIEXEC=${MPIEXEC_EXECUTABLE};PROXYTUNE_SOURCE=${CMAKE_SOURCE_DIR}"
    TIMEOUT 900 PROCESSORS 2)
endfunction()
