# What the packages have and an installation from source has not, added to the parts' trees before
# they are packed: the example of the settings, compressed manual pages, and the papers that each
# kind of package must have.
set(epoch $ENV{SOURCE_DATE_EPOCH})
set(BOOTLACE_MAINTAINER ${CPACK_PACKAGE_CONTACT})

function(run)
  execute_process(COMMAND ${ARGV} COMMAND_ERROR_IS_FATAL ANY)
endfunction()

# Nothing in it of the time or the name, and as small as it gets: Debian's policy, 12.3.
function(compress)
  run(gzip --no-name --best --force ${ARGV})
endfunction()

function(add_paper from tree to)
  get_filename_component(folder ${tree}/${to} DIRECTORY)
  file(MAKE_DIRECTORY ${folder})
  configure_file(${from} ${tree}/${to} @ONLY)
endfunction()

set(papers ${CPACK_PACKAGING_FOLDER})
foreach(part ${CPACK_COMPONENTS_ALL})
  string(TOUPPER ${part} PART)
  set(tree ${CPACK_TEMPORARY_DIRECTORY}/${part})
  file(GLOB pages ${tree}/usr/share/man/man*/*.[1-8])
  if(pages)
    compress(${pages})
  endif()
  if(part STREQUAL "base")
    add_paper(${papers}/config.yaml ${tree} etc/bootlace/config.yaml)
    file(MAKE_DIRECTORY ${tree}/etc/bootlace/config.d)
    if(CPACK_GENERATOR STREQUAL "DEB")
      add_paper(${papers}/debian/lintian-overrides ${tree} usr/share/lintian/overrides/bootlace)
    endif()
  endif()
  if(CPACK_GENERATOR STREQUAL "DEB")
    set(folder usr/share/doc/${CPACK_DEBIAN_${PART}_PACKAGE_NAME})
    add_paper(${papers}/debian/copyright ${tree} ${folder}/copyright)
    add_paper(${papers}/debian/changelog ${tree} ${folder}/changelog)
    compress(${tree}/${folder}/changelog)
  else()
    add_paper(${papers}/../LICENSE ${tree}
      usr/share/licenses/${CPACK_RPM_${PART}_PACKAGE_NAME}/LICENSE)
  endif()
  # Whatever the umask of the person who makes the packages.
  run(chmod -R u=rwX,go=rX ${tree})
  run(find ${tree} -exec touch --no-dereference --date=@${epoch} {} +)
endforeach()
