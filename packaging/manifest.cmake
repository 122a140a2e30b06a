# Makes a module's manifest of its description, one object of JSON: the schema is in a file beside
# it, which is read where one of the module's keys is used; and it names the package that the module
# is in, where that is not the agent's own.
file(READ ${manifest} object)
string(JSON kind ERROR_VARIABLE none TYPE "${object}" schema)
if(kind STREQUAL "OBJECT")
  string(JSON object SET "${object}" schema true)
endif()
if(package)
  string(JSON object SET "${object}" package "\"${package}\"")
endif()
file(WRITE ${manifest} "${object}\n")
