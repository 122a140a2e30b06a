"""Repositories of packages for tests, in the forms of apt, rpm and pacman, made by their own tools.

    folder = repositories.made()    # a folder with apt, rpm, pacman and images of them

They are made once, in a copy of a small Debian that has the tools, and kept in the cache. Every
format has the same packages, as far as it can have them:

    good        in two versions; pacman's repository has the newer one alone
    other       requires good
    broken      its script fails: after dpkg unpacked it, before rpm installs it
    remarked    its script fails when it is there already: rpm and pacman say so, and go on
    nodeps      requires what there is not
    asking      its script reads standard input
    provider    provides virtual-thing
    daemon      starts a service of its own, apt's only
    configured  has a configuration file, another one in each version, apt's only
    question    asks by debconf, apt's only
"""

import functools
import json
import os
import shutil
import tempfile
from pathlib import Path

import host
import roots

# What the copies of Debian have in which package managers are tested: those and what makes their
# repositories, and the libraries of the build that is tested.
TOOLS = ["apt", "apt-utils", "ca-certificates", "createrepo-c", "debconf", "dnf", "gnupg",
         "libarchive-tools", "libasan8", "libcurl4", "libexpat1", "libjansson4", "libssl3",
         "libubsan1", "libyaml-0-2", "makepkg", "pacman-package-manager", "rpm", "zlib1g",
         "zstd", "zypper"]

FAILING = 'echo "its database cannot be made" >&2\nexit 3'
ASKING = 'read answer\necho "the answer: $answer"'


def package(name, version="1.0", **more):
    return {"name": name, "version": version, **more}


COMMON = [package("good"), package("good", "2.0"), package("other", requires="good"),
          package("nodeps", requires="absent-thing"), package("provider", provides="virtual-thing"),
          package("asking", script=ASKING)]

APT = [*COMMON, package("broken", script=FAILING),
       package("daemon", script="if [ -x /usr/sbin/invoke-rc.d ]; then\n"
                                "    update-rc.d daemon defaults >/dev/null\n"
                                "    invoke-rc.d daemon start || exit $?\nfi",
               files={"/etc/init.d/daemon": "#!/bin/sh\n"
                                            "### BEGIN INIT INFO\n"
                                            "# Provides: daemon\n"
                                            "# Required-Start: $local_fs\n"
                                            "# Required-Stop: $local_fs\n"
                                            "# Default-Start: 2 3 4 5\n"
                                            "# Default-Stop: 0 1 6\n"
                                            "# Short-Description: a service\n"
                                            "### END INIT INFO\n"
                                            "echo \"$1\" >>/var/tmp/daemon-was-told\n"}),
       package("configured", configuration="# as the package has it, 1\n"),
       package("configured", "2.0", configuration="# as the package has it, 2\n"),
       package("question", requires="debconf",
               script=". /usr/share/debconf/confmodule\n"
                      "db_input critical question/name || true\ndb_go\n"
                      "db_get question/name\necho \"$RET\" >/var/tmp/question-answer",
               templates="Template: question/name\nType: string\nDefault: nobody\n"
                         "Description: What is your name?\n The name.\n")]

RPM = [*COMMON, package("broken", script=FAILING, when="pre"),
       package("remarked", script=FAILING), package("shell", provides="/bin/sh")]

PACMAN = [*[one for one in COMMON if one["name"] != "good" or one["version"] == "2.0"],
          package("remarked", script=FAILING.replace("exit", "return"))]

DEB = r'''set -eu
folder=$1; name=$2; version=$3
rm -rf /build; mkdir -p /build/DEBIAN "/build/usr/share/$name"
echo "$version" >"/build/usr/share/$name/version"
cp -a "$folder/." /build/
dpkg-deb -Znone --root-owner-group --build /build /repositories/apt >/dev/null
'''

RPM_BUILD = r'''set -eu
rpmbuild -bb --define "_topdir /build" --define "_rpmdir /repositories/rpm" \
    --define "_build_id_links none" --define "_binary_payload w0.ufdio" "$1" >/build.log 2>&1 ||
    { cat /build.log >&2; exit 1; }
'''

PACMAN_BUILD = r'''set -eu
cd "$1"
bsdtar -cf - .PKGINFO $(test ! -f .INSTALL || echo .INSTALL) usr | zstd -q -1 \
    >"/repositories/pacman/$2-$3-1-any.pkg.tar.zst"
'''

FINISH = r'''set -eu
cd /repositories/apt
apt-ftparchive packages . >Packages
apt-ftparchive release . >/Release
mv /Release .
createrepo_c --quiet /repositories/rpm
cd /repositories/pacman
repo-add --quiet test.db.tar.gz *.pkg.tar.zst >/dev/null
'''


def write(path, text, mode=0o644):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)


def make_apt(copy, one):
    folder = copy.path("/deb")
    shutil.rmtree(folder, ignore_errors=True)
    control = (f"Package: {one['name']}\nVersion: {one['version']}\nArchitecture: all\n"
               "Maintainer: Tests <tests@example.org>\nDescription: made by a test\n")
    for field, key in (("Depends", "requires"), ("Provides", "provides")):
        control += f"{field}: {one[key]}\n" if key in one else ""
    write(folder / "DEBIAN/control", control)
    if "script" in one:
        write(folder / "DEBIAN/postinst", f"#!/bin/sh\n{one['script']}\n", 0o755)
    if "templates" in one:
        write(folder / "DEBIAN/templates", one["templates"])
    if "configuration" in one:
        write(folder / "etc" / f"{one['name']}.conf", one["configuration"])
        write(folder / "DEBIAN/conffiles", f"/etc/{one['name']}.conf\n")
    for name, text in one.get("files", {}).items():
        write(folder / name.lstrip("/"), text, 0o755)
    copy.run(["sh", "-c", DEB, "sh", "/deb", one["name"], one["version"]])


def make_rpm(copy, one):
    name, version = one["name"], one["version"]
    fields = "".join(f"{field}: {one[key]}\n" for field, key in
                     (("Requires", "requires"), ("Provides", "provides")) if key in one)
    script = f"%{one.get('when', 'post')}\n{one['script']}\n" if "script" in one else ""
    write(copy.path(f"/{name}.spec"),
          f"Name: {name}\nVersion: {version}\nRelease: 1\nSummary: made by a test\n"
          f"License: MIT\nBuildArch: noarch\n{fields}%description\nMade by a test.\n"
          f"%files\n/usr/share/{name}\n%install\nmkdir -p %{{buildroot}}/usr/share/{name}\n"
          f"echo {version} >%{{buildroot}}/usr/share/{name}/version\n{script}")
    copy.run(["sh", "-c", RPM_BUILD, "sh", f"/{name}.spec"], limit=120)


def make_pacman(copy, one):
    folder = copy.path("/pacman")
    shutil.rmtree(folder, ignore_errors=True)
    name, version = one["name"], one["version"]
    fields = "".join(f"{field} = {one[key]}\n" for field, key in
                     (("depend", "requires"), ("provides", "provides")) if key in one)
    write(folder / ".PKGINFO",
          f"pkgname = {name}\npkgbase = {name}\npkgver = {version}-1\npkgdesc = made by a test\n"
          "url = http://example.org\nbuilddate = 1700000000\npackager = Tests <t@example.org>\n"
          f"size = 4\narch = any\nlicense = MIT\n{fields}")
    write(folder / "usr/share" / name / "version", f"{version}\n")
    if "script" in one:
        write(folder / ".INSTALL", f"post_install() {{\n{one['script']}\n}}\n")
    copy.run(["sh", "-c", PACMAN_BUILD, "sh", "/pacman", name, version])


def make(folder):
    with roots.Copy(TOOLS) as copy:
        for name in ("apt", "rpm", "pacman"):
            copy.path(f"/repositories/{name}").mkdir(parents=True)
        for one in APT:
            make_apt(copy, one)
        for one in RPM:
            make_rpm(copy, one)
        for one in PACMAN:
            make_pacman(copy, one)
        copy.run(["sh", "-c", FINISH])
        shutil.copytree(copy.path("/repositories"), folder, symlinks=True)


@functools.lru_cache(maxsize=None)
def made():
    """The folder with the repositories, made first where they are not there."""
    with open(__file__, encoding="utf-8") as recipe:
        cache = host.cache_folder()
        folder = cache / ("repositories-" + host.digest(recipe.read(), json.dumps(TOOLS)))
    with host.locked(cache / f"{folder.name}.lock"):
        if not folder.exists():
            with tempfile.TemporaryDirectory(dir=cache, prefix="repositories-new.") as unfinished:
                make(Path(unfinished) / "made")
                os.rename(Path(unfinished) / "made", folder)
    return folder
