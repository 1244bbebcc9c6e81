# Helpers that keep every folder's CMakeLists.txt to a few lines.

add_library(raakvlak_options INTERFACE)
target_include_directories(raakvlak_options INTERFACE ${PROJECT_SOURCE_DIR})
target_compile_options(raakvlak_options INTERFACE
  -Wall -Wextra -Wconversion -Wno-sign-conversion -Wshadow -Wnon-virtual-dtor
  $<$<CXX_COMPILER_ID:Clang>:-Wthread-safety>
  $<$<BOOL:${RAAKVLAK_WERROR}>:-Werror>)
if(RAAKVLAK_HARDEN)
  target_compile_options(raakvlak_options INTERFACE
    -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 -D_GLIBCXX_ASSERTIONS -fstack-protector-strong
    -fstack-clash-protection -fcf-protection=full -ftrivial-auto-var-init=zero -fPIE)
  target_link_options(raakvlak_options INTERFACE
    -pie -Wl,-z,relro,-z,now,-z,noexecstack,-z,separate-code,--as-needed)
endif()
if(RAAKVLAK_SANITIZE)
  add_compile_options(-fsanitize=${RAAKVLAK_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${RAAKVLAK_SANITIZE})
endif()
find_program(RAAKVLAK_MOLD mold)
if(RAAKVLAK_MOLD)
  add_link_options(-fuse-ld=mold)
endif()

# raakvlak_library(crypto_group SRCS a.cc HDRS a.h DEPS raakvlak::base): a static library, alias raakvlak::crypto_group.
function(raakvlak_library name)
  cmake_parse_arguments(ARG "" "" "SRCS;HDRS;DEPS" ${ARGN})
  add_library(raakvlak_${name} STATIC ${ARG_SRCS} ${ARG_HDRS})
  add_library(raakvlak::${name} ALIAS raakvlak_${name})
  target_link_libraries(raakvlak_${name} PUBLIC raakvlak_options ${ARG_DEPS})
  set_target_properties(raakvlak_${name} PROPERTIES LINKER_LANGUAGE CXX)
endfunction()

# raakvlak_test(crypto_group_test SRCS a_test.cc DEPS raakvlak::crypto_group [LABELS unit] [TIMEOUT 60])
function(raakvlak_test name)
  cmake_parse_arguments(ARG "" "TIMEOUT" "SRCS;DEPS;LABELS" ${ARGN})
  if(NOT ARG_LABELS)
    set(ARG_LABELS unit)
  endif()
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 120)
  endif()
  add_executable(${name} ${ARG_SRCS})
  target_link_libraries(${name} PRIVATE raakvlak_options ${ARG_DEPS} GTest::gmock_main Threads::Threads)
  # Tests are most of what there is to compile; what they test keeps its own flags.
  if(CMAKE_BUILD_TYPE STREQUAL "Release")
    target_compile_options(${name} PRIVATE -O0 -U_FORTIFY_SOURCE)
  endif()
  target_compile_definitions(${name} PRIVATE RAAKVLAK_SOURCE_DIR="${PROJECT_SOURCE_DIR}"
                                             RAAKVLAK_BINARY_DIR="${PROJECT_BINARY_DIR}")
  gtest_discover_tests(${name} DISCOVERY_TIMEOUT 60 PROPERTIES LABELS "${ARG_LABELS}" TIMEOUT ${ARG_TIMEOUT})
endfunction()

# raakvlak_proto(exchange [GRPC] [DEPS envelope ...]): one library per .proto, alias raakvlak::proto_exchange.
function(raakvlak_proto name)
  cmake_parse_arguments(ARG "GRPC" "" "DEPS" ${ARGN})
  set(proto_dir ${PROJECT_SOURCE_DIR}/proto)
  set(out_dir ${PROJECT_BINARY_DIR}/gen)
  set(source ${proto_dir}/raakvlak/v1/${name}.proto)
  set(base ${out_dir}/raakvlak/v1/${name})
  set(outputs ${base}.pb.cc ${base}.pb.h)
  set(args --cpp_out=${out_dir})
  if(ARG_GRPC)
    list(APPEND outputs ${base}.grpc.pb.cc ${base}.grpc.pb.h)
    list(APPEND args --grpc_out=${out_dir} --plugin=protoc-gen-grpc=$<TARGET_FILE:gRPC::grpc_cpp_plugin>)
  endif()
  file(MAKE_DIRECTORY ${out_dir})
  set(imports "")
  foreach(dep ${ARG_DEPS})
    list(APPEND imports ${proto_dir}/raakvlak/v1/${dep}.proto)
  endforeach()
  add_custom_command(OUTPUT ${outputs}
    COMMAND protobuf::protoc -I ${proto_dir} ${args} ${source}
    DEPENDS ${source} ${imports} protobuf::protoc gRPC::grpc_cpp_plugin
    VERBATIM)
  add_library(raakvlak_proto_${name} STATIC ${outputs})
  add_library(raakvlak::proto_${name} ALIAS raakvlak_proto_${name})
  target_include_directories(raakvlak_proto_${name} SYSTEM PUBLIC ${out_dir})
  target_compile_options(raakvlak_proto_${name} PRIVATE -w)
  # gRPC hands these messages from thread to thread by locks of Debian's libraries, which the thread sanitizer does not see.
  if(RAAKVLAK_SANITIZE STREQUAL "thread")
    target_compile_options(raakvlak_proto_${name} PRIVATE -fno-sanitize=thread)
  endif()
  set(deps "")
  foreach(dep ${ARG_DEPS})
    list(APPEND deps raakvlak::proto_${dep})
  endforeach()
  target_link_libraries(raakvlak_proto_${name} PUBLIC protobuf::libprotobuf ${deps})
  if(ARG_GRPC)
    target_link_libraries(raakvlak_proto_${name} PUBLIC gRPC::grpc++)
  endif()
endfunction()
