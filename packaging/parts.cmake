# Packages, .deb and .rpm, by CPack: cmake --build build --target package, in a build that is
# configured with -DCMAKE_INSTALL_PREFIX=/usr. They come to build/packages.
#
# What is installed is split by what it needs from other packages, so that an image has no library
# that it doesn't use. A part is a component of the installation; its package is bootlace-<part>,
# that of the part base is bootlace.
set(CPACK_COMPONENTS_ALL base archive dns dev)
set(part_base_summary "bootstrap agent for cloud instances")
set(part_base_description
  "The first program that a new cloud instance runs for its owner: it asks the
metadata service what the instance is for (its user-data), does it once, in
order, and leaves a record that a person and a program can read.
Scripts, cloud-config and the blocks that Windows instances know are
understood; every job is a module.")
set(part_archive_summary "archives as user-data of bootlace")
set(part_archive_description
  "The bootstrap agent bootlace with this package understands user-data that is a
tar or zip archive or compressed with xz, zstd or bzip2, and unpacks archives
that it brings from S3. Without it, the agent needs no libarchive.")
set(part_dns_summary "names in DNS for instances with bootlace")
set(part_dns_description
  "The bootstrap agent bootlace with this package registers an instance under
names in DNS, by signed updates (RFC 2136) or in Route 53, and takes them out
at shutdown. Without it, the agent needs no ldns.")
set(part_dev_summary "headers to write modules for bootlace in C")
set(part_dev_description
  "The interface of the modules of the bootstrap agent bootlace, and the static
library that its own modules share: programs, files, HTTP, AWS requests.")
# What pkg-config's files of the part dev require.
set(part_dev_debian "libjansson-dev, zlib1g-dev, libssl-dev, libexpat1-dev")
set(part_dev_rpm "pkgconfig(jansson), pkgconfig(zlib), pkgconfig(libcrypto), pkgconfig(expat)")

set(CPACK_GENERATOR DEB RPM)
set(CPACK_PACKAGE_NAME bootlace)
set(CPACK_PACKAGE_VENDOR bootlace)
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "") # each part has its own
set(CPACK_PACKAGE_RELOCATABLE FALSE)
set(BOOTLACE_MAINTAINER "The bootlace authors <authors@bootlace.example>" CACHE STRING
  "Whom the packages name as their maintainer: a name and an address")
set(CPACK_PACKAGE_CONTACT "${BOOTLACE_MAINTAINER}")
set(CPACK_PACKAGE_DIRECTORY ${CMAKE_BINARY_DIR}/packages)
set(CPACK_STRIP_FILES TRUE)
set(CPACK_MONOLITHIC_INSTALL FALSE)
set(CPACK_COMPONENTS_GROUPING IGNORE)
set(CPACK_VERBATIM_VARIABLES TRUE)
set(CPACK_PROJECT_CONFIG_FILE ${CMAKE_CURRENT_LIST_DIR}/cpack.cmake)
set(CPACK_PRE_BUILD_SCRIPTS ${CMAKE_CURRENT_LIST_DIR}/stage.cmake)
set(CPACK_PACKAGING_FOLDER ${CMAKE_CURRENT_LIST_DIR})
set(CPACK_CONFIGURED_PREFIX ${CMAKE_INSTALL_PREFIX})

set(CPACK_DEB_COMPONENT_INSTALL TRUE)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS TRUE)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION TRUE)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
set(CPACK_DEBIAN_BASE_PACKAGE_RECOMMENDS ca-certificates)
set(CPACK_DEBIAN_BASE_PACKAGE_SUGGESTS "bootlace-archive, bootlace-dns")
set(CPACK_DEBIAN_BASE_PACKAGE_CONTROL_EXTRA ${CMAKE_CURRENT_LIST_DIR}/debian/conffiles
  ${CMAKE_CURRENT_LIST_DIR}/debian/postinst ${CMAKE_CURRENT_LIST_DIR}/debian/postrm)

set(CPACK_RPM_COMPONENT_INSTALL TRUE)
set(CPACK_RPM_MAIN_COMPONENT base)
set(CPACK_RPM_FILE_NAME RPM-DEFAULT)
set(CPACK_RPM_PACKAGE_LICENSE MIT)
set(CPACK_RPM_PACKAGE_RELEASE 1)
set(CPACK_RPM_BASE_POST_INSTALL_SCRIPT_FILE ${CMAKE_CURRENT_LIST_DIR}/rpm/post.sh)
set(CPACK_RPM_BASE_PRE_UNINSTALL_SCRIPT_FILE ${CMAKE_CURRENT_LIST_DIR}/rpm/preun.sh)
set(CPACK_RPM_BASE_POST_UNINSTALL_SCRIPT_FILE ${CMAKE_CURRENT_LIST_DIR}/rpm/postun.sh)
set(CPACK_RPM_BASE_USER_FILELIST "%config(noreplace) /etc/bootlace/config.yaml")
set(CPACK_RPM_EXCLUDE_FROM_AUTO_FILELIST_ADDITION /etc /usr/lib/systemd /usr/lib/systemd/system
  /usr/lib/systemd/system-preset /usr/share/bash-completion /usr/share/bash-completion/completions
  /usr/share/licenses /usr/share/pkgconfig /usr/share/man /usr/share/man/man1 /usr/share/man/man5
  /usr/share/man/man7)
# Debian's libcurl has versions of its symbols that no other distribution's has.
set(CPACK_RPM_SPEC_MORE_DEFINE "%define __requires_exclude ^libcurl\\\\.so\\\\.4\\\\(CURL_
%define _buildhost reproducible
%define use_source_date_epoch_as_buildtime 1
%define clamp_mtime_to_source_date_epoch 1
%define _build_id_links none")

foreach(part ${CPACK_COMPONENTS_ALL})
  string(TOUPPER ${part} PART)
  set(CPACK_COMPONENT_${PART}_DESCRIPTION "${part_${part}_description}")
  set(CPACK_DEBIAN_${PART}_PACKAGE_NAME bootlace-${part})
  set(CPACK_DEBIAN_${PART}_DESCRIPTION "${part_${part}_summary}\n${part_${part}_description}")
  set(CPACK_DEBIAN_${PART}_PACKAGE_SECTION admin)
  set(CPACK_DEBIAN_${PART}_PACKAGE_PRIORITY optional)
  set(CPACK_RPM_${PART}_PACKAGE_NAME bootlace-${part})
  set(CPACK_RPM_${PART}_PACKAGE_SUMMARY "${part_${part}_summary}")
  set(CPACK_RPM_${PART}_PACKAGE_DESCRIPTION "${part_${part}_description}")
  # cpack.cmake adds the package bootlace itself, in the very version.
  set(CPACK_DEBIAN_${PART}_PACKAGE_DEPENDS "${part_${part}_debian}")
  set(CPACK_RPM_${PART}_PACKAGE_REQUIRES "${part_${part}_rpm}")
endforeach()
set(CPACK_DEBIAN_BASE_PACKAGE_NAME bootlace)
set(CPACK_RPM_BASE_PACKAGE_NAME bootlace)
set(CPACK_DEBIAN_DEV_PACKAGE_SECTION devel)
set(CPACK_RPM_DEV_PACKAGE_NAME bootlace-devel)
include(CPack)
