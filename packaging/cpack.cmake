# What CPack reads before it makes packages of a kind: relations that have the version in them, and
# the time of all files, so that the same source gives the same bytes.
if(NOT CPACK_CONFIGURED_PREFIX STREQUAL "/usr")
  message(FATAL_ERROR "bootlace's packages install to /usr, but this build is for "
    "${CPACK_CONFIGURED_PREFIX}: configure it with -DCMAKE_INSTALL_PREFIX=/usr")
endif()

# The time of the change log's first entry, unless the caller has one.
if(NOT DEFINED ENV{SOURCE_DATE_EPOCH})
  file(STRINGS ${CPACK_PACKAGING_FOLDER}/debian/changelog signature LIMIT_COUNT 1 REGEX "^ -- ")
  string(REGEX REPLACE "^ -- .*  " "" date "${signature}")
  execute_process(COMMAND date --date=${date} +%s OUTPUT_VARIABLE epoch
    OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
  set(ENV{SOURCE_DATE_EPOCH} ${epoch})
endif()

foreach(part ${CPACK_COMPONENTS_ALL})
  if(part STREQUAL "base")
    continue()
  endif()
  string(TOUPPER ${part} PART)
  set(debian "bootlace (= ${CPACK_PACKAGE_VERSION})")
  set(rpm "bootlace%{?_isa} = ${CPACK_PACKAGE_VERSION}-${CPACK_RPM_PACKAGE_RELEASE}")
  if(CPACK_DEBIAN_${PART}_PACKAGE_DEPENDS)
    string(APPEND debian ", ${CPACK_DEBIAN_${PART}_PACKAGE_DEPENDS}")
  endif()
  if(CPACK_RPM_${PART}_PACKAGE_REQUIRES)
    string(APPEND rpm ", ${CPACK_RPM_${PART}_PACKAGE_REQUIRES}")
  endif()
  set(CPACK_DEBIAN_${PART}_PACKAGE_DEPENDS "${debian}")
  set(CPACK_RPM_${PART}_PACKAGE_REQUIRES "${rpm}")
endforeach()
