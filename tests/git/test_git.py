#!/usr/bin/python3
"""git: real repositories by git daemon, ssh and https, all of them the test's own, on loopback.

BOOTLACE_BUILD names the build folder.
"""

import os
import pwd
import socket
import subprocess
import sys
import unittest
from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent
sys.path += [str(TESTS / "rig"), str(TESTS / "agent"), str(TESTS / "servers")]
import host  # noqa: E402  (found by the line above)
import roots  # noqa: E402
from agent import AgentTest, EXIT_INPUT, needs_program, needs_root, wait_until  # noqa: E402
from module_call import ModuleTest  # noqa: E402
from test_manual import Page  # noqa: E402
from web import Web  # noqa: E402

OWNER = "daemon"
AUTHOR = {"GIT_AUTHOR_NAME": "Test", "GIT_AUTHOR_EMAIL": "test@example.com",
          "GIT_COMMITTER_NAME": "Test", "GIT_COMMITTER_EMAIL": "test@example.com",
          "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1"}


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@needs_root
@needs_program("git", "setpriv")
class GitTest(ModuleTest):
    module = "git"

    def setUp(self):
        super().setUp()
        os.chmod(self.work, 0o755)
        self.origin = os.path.join(self.work, "origin")
        self.dest = os.path.join(self.work, "dest")
        self.git("init", "--quiet", "--initial-branch=main", self.origin, inside=None)
        self.first = self.commit("one")
        self.git("tag", "-a", "-m", "first", "v1")

    def git(self, *words, inside="", env=None):
        where = [] if inside is None else ["-C", inside or self.origin]
        return host.run(["git", *where, *words],
                        env=host.environment(**AUTHOR, **(env or {}))).stdout.strip()

    def commit(self, word, path="file"):
        Path(self.origin, path).write_text(word + "\n")
        self.git("add", path)
        self.git("commit", "--quiet", "-m", word)
        return self.git("rev-parse", "HEAD")

    def bring(self, status, dry_run=False, variables=None, **item):
        item = {"repo": self.origin, "dest": self.dest, **item}
        return self.assert_called(status, {"git": [item]}, root="/", dry_run=dry_run,
                                  variables=variables)

    def head(self):
        return self.git("rev-parse", "HEAD", inside=self.dest, env={"GIT_CONFIG_COUNT": "1",
                        "GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": "*"})

    def word(self, path="file"):
        return Path(self.dest, path).read_text().strip()


class Versions(GitTest):
    def test_head_then_forward(self):
        called = self.bring("changed")
        self.assertEqual(called.items[0]["message"], f"now at {self.first[:12]}")
        self.assertEqual((self.head(), self.word()), (self.first, "one"))
        called = self.bring("unchanged")
        self.assertEqual(called.items[0]["message"], f"at {self.first[:12]}")
        second = self.commit("two")
        called = self.bring("changed")
        self.assertEqual(called.items[0]["message"], f"from {self.first[:12]} to {second[:12]}")
        self.assertEqual(self.word(), "two")

    def test_branch_tag_and_commit(self):
        self.git("branch", "stable")
        second = self.commit("two")
        self.bring("changed", version="main")
        self.assertEqual(self.git("rev-parse", "--abbrev-ref", "HEAD", inside=self.dest), "main")
        called = self.bring("changed", version="v1")
        self.assertEqual(called.items[0]["message"],
                         f"from {second[:12]} to {self.first[:12]} (v1)")
        self.bring("unchanged", version="v1")
        self.bring("changed", version=second.upper())
        self.assertEqual(self.head(), second)
        self.bring("unchanged", version=second)
        self.bring("changed", version="stable")
        self.assertEqual((self.head(), self.word()), (self.first, "one"))

    def test_a_pinned_commit_needs_no_network_once_it_is_there(self):
        self.bring("changed", version=self.first)
        os.rename(self.origin, self.origin + ".gone")
        self.bring("unchanged", version=self.first)

    def test_shallow(self):
        self.commit("two")
        repo = f"file://{self.origin}"
        self.bring("changed", repo=repo, depth=1, version="main")
        self.assertEqual(self.git("rev-list", "--count", "HEAD", inside=self.dest), "1")
        self.bring("unchanged", repo=repo, depth=1, version="main")
        self.commit("three")
        self.bring("changed", repo=repo, depth=1, version="main")
        self.assertEqual(self.word(), "three")

    def test_a_shallow_commit_that_is_no_tip(self):
        self.commit("two")
        self.commit("three")
        self.git("config", "uploadpack.allowAnySHA1InWant", "false")
        self.bring("changed", repo=f"file://{self.origin}", version=self.first, depth=1)
        self.assertEqual(self.word(), "one")

    def test_what_is_not_there(self):
        for version, words in (("no-such", "neither a branch nor a tag no-such"),
                               ("0" * 40, "does not have that commit")):
            called = self.assert_fails(words, {"git": [{"repo": self.origin, "dest": self.dest,
                                                        "version": version}]}, root="/")
            self.assertEqual(called.items[0]["status"], "failed")
        self.assert_fails("cannot be read", {"git": [{"repo": "/no/such", "dest": self.dest}]},
                          root="/")

    def test_submodules(self):
        inner = os.path.join(self.work, "inner")
        outer, self.origin = self.origin, inner
        self.git("init", "--quiet", "--initial-branch=main", inner, inside=None)
        self.commit("inner")
        self.origin = outer
        port = self.daemon()
        self.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add",
                 f"git://127.0.0.1:{port}/inner", "sub")
        self.git("commit", "--quiet", "-m", "sub")
        self.bring("changed", repo=f"git://127.0.0.1:{port}/origin")
        self.assertEqual(self.word("sub/file"), "inner")
        host.run(["rm", "-rf", self.dest])
        self.bring("changed", submodules=False)
        self.assertFalse(os.path.exists(f"{self.dest}/sub/file"))

    def daemon(self):
        port = free_port()
        server = subprocess.Popen(
            ["git", "daemon", "--listen=127.0.0.1", f"--port={port}", "--export-all",
             f"--base-path={self.work}", "--reuseaddr", self.work], start_new_session=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env=host.environment(GIT_CONFIG_COUNT="1", GIT_CONFIG_KEY_0="safe.directory",
                                 GIT_CONFIG_VALUE_0="*"))
        self.addCleanup(roots.end, server)
        self.assertTrue(wait_until(lambda: not socket.socket().connect_ex(("127.0.0.1", port))))
        return port

    def test_by_git_daemon(self):
        port = self.daemon()
        self.bring("changed", repo=f"git://127.0.0.1:{port}/origin", version="v1", depth=1)
        self.assertEqual(self.word(), "one")
        self.assert_fails("cannot be read", {"git": [
            {"repo": f"git://127.0.0.1:{port}/none", "dest": self.dest + "2"}]}, root="/")


class Kept(GitTest):
    def test_changed_files_stay(self):
        self.bring("changed", version="main")
        Path(self.dest, "file").write_text("mine\n")
        self.commit("two")
        self.assert_fails("files in dest were changed", {"git": [
            {"repo": self.origin, "dest": self.dest, "version": "main"}]}, root="/")
        self.assertEqual(self.word(), "mine")
        self.bring("changed", version="main", force=True)
        self.assertEqual(self.word(), "two")

    def test_commits_of_ones_own_stay(self):
        self.bring("changed", version="main")
        origin, self.origin = self.origin, self.dest
        mine = self.commit("mine")
        self.origin = origin
        self.commit("two")
        self.assert_fails("commits that the repository does not have", {"git": [
            {"repo": self.origin, "dest": self.dest, "version": "main"}]}, root="/")
        self.assertEqual(self.head(), mine)
        self.bring("changed", version="main", force=True)
        self.assertEqual(self.word(), "two")

    def test_files_of_others_stay(self):
        os.mkdir(self.dest)
        Path(self.dest, "file").write_text("other\n")
        self.assert_fails("no repository: they are not overwritten", {"git": [
            {"repo": self.origin, "dest": self.dest}]}, root="/")
        self.assertEqual(self.word(), "other")
        os.remove(f"{self.dest}/file")
        self.bring("changed")

    def test_another_address(self):
        self.bring("changed")
        moved = self.origin + "-moved"
        os.rename(self.origin, moved)
        self.origin = moved
        self.commit("two")
        self.bring("changed", repo=moved)
        self.assertEqual(self.git("remote", "get-url", "origin", inside=self.dest), moved)

    def test_dry_run(self):
        called = self.bring("changed", dry_run=True)
        self.assertIn(f"would bring {self.dest} to {self.first}", called.log)
        self.assertFalse(os.path.exists(self.dest))

    def test_owner(self):
        user = pwd.getpwnam(OWNER)
        # git takes a repository of this machine's from its owner alone.
        host.run(["chown", "-R", f"{OWNER}:{OWNER}", self.origin])
        self.bring("changed", owner=f"{OWNER}:{OWNER}")
        for path in (self.dest, f"{self.dest}/file", f"{self.dest}/.git/HEAD"):
            info = os.stat(path)
            self.assertEqual((info.st_uid, info.st_gid), (user.pw_uid, user.pw_gid), path)
        self.bring("unchanged", owner=f"{OWNER}:{OWNER}")
        self.assert_fails("nobody-of-that-name", {"git": [
            {"repo": self.origin, "dest": self.dest + "2", "owner": "nobody-of-that-name"}]},
            root="/")


class Safe(GitTest):
    def test_hooks_do_not_run(self):
        self.bring("changed", version="main")
        for hook in ("post-checkout", "post-merge", "reference-transaction"):
            path = Path(self.dest, ".git", "hooks", hook)
            path.parent.mkdir(exist_ok=True)
            path.write_text(f"#!/bin/sh\ntouch {self.work}/hooked\n")
            path.chmod(0o755)
        self.git("config", "core.fsmonitor", f"touch {self.work}/hooked", inside=self.dest)
        self.commit("two")
        self.bring("changed", version="main")
        self.assertFalse(os.path.exists(f"{self.work}/hooked"))

    def test_addresses_that_are_more_than_that(self):
        for repo in (f"ext::sh -c 'touch {self.work}/run'", f"--upload-pack=touch {self.work}/run",
                     "ssh://-oProxyCommand=touch/x", "-x", "ftp://example.com/x", "fd::7",
                     "https://", "a b:c", "relative/path"):
            with self.subTest(repo):
                self.assert_fails("repo is no address", {"git": [
                    {"repo": repo, "dest": self.dest}]}, root="/")
        for item in ({"version": "--upload-pack=x"}, {"version": "a b"}, {"version": "a..b"},
                     {"dest": "relative"}, {"dest": "/a/../b"}, {"key": "/k; reboot"}):
            with self.subTest(str(item)):
                self.assert_fails("1 of 1 repositories failed", {"git": [
                    {"repo": self.origin, "dest": self.dest, **item}]}, root="/")
        self.assertFalse(os.path.exists(f"{self.work}/run"))


class Remotes(GitTest):
    @needs_program("openssl")
    def test_https(self):
        self.git("update-server-info")
        answers = {}
        for at, _, names in os.walk(os.path.join(self.origin, ".git")):
            for name in names:
                full = os.path.join(at, name)
                answers["/" + os.path.relpath(full, self.work)] = Path(full).read_bytes()
        with Web(answers, tls=True) as web:
            repo = web.url("/origin/.git")
            self.assert_fails("cannot be read", {"git": [{"repo": repo, "dest": self.dest}]},
                              root="/")
            self.bring("changed", repo=repo, variables={"GIT_SSL_CAINFO": web.authority})
        self.assertEqual(self.word(), "one")

    def test_ssh_with_a_deploy_key(self):
        user, port = pwd.getpwnam(OWNER), free_port()
        key = os.path.join(self.work, "deploy_key")
        host.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key])
        with roots.Copy(["openssh-server", "git"]) as copy:
            copy.path("/run/sshd").mkdir(parents=True, exist_ok=True)
            copy.put("/root/.ssh/authorized_keys", Path(key + ".pub").read_text(), 0o600)
            host.run(["cp", "-r", self.origin, copy.path("/srv/app")])
            host.run(["chown", "-R", "0:0", copy.path("/srv/app")])
            server = copy.start(["/usr/sbin/sshd", "-D", "-e", "-p", port, "-o",
                                 "ListenAddress=127.0.0.1"], f"{self.work}/sshd.log")
            self.assertTrue(wait_until(
                lambda: not socket.socket().connect_ex(("127.0.0.1", port))))
            repo = f"ssh://root@127.0.0.1:{port}/srv/app"
            home = os.path.join(self.work, "home")
            os.mkdir(home)
            os.chown(home, user.pw_uid, user.pw_gid)
            # ssh asks the account for its home, not the environment.
            self.assert_fails("cannot be read", {"git": [{"repo": repo, "dest": self.dest,
                                                          "owner": OWNER}]}, root="/")
            self.bring("changed", repo=repo, key=key, owner=f"{OWNER}:{OWNER}", version="v1")
            roots.end(server)
        self.assertEqual(self.word(), "one")
        self.assertEqual(os.stat(f"{self.dest}/file").st_uid, user.pw_uid)
        self.assertEqual([name for name in os.listdir("/tmp") if "bootlace-git-key" in name], [])
        self.assert_fails("the key is not there", {"git": [{"repo": repo, "dest": self.dest,
                                                            "key": "/no/key"}]}, root="/")


class Settings(AgentTest):
    def test_values_that_are_wrong(self):
        for item in ("{repo: x}", "{dest: /x}", "{repo: x, dest: x}", "{repo: x, dest: /x, depth: "
                     "-1}", "{repo: x, dest: /x, key: '/k x'}", "{repo: x, dest: /x, version: -x}"):
            path = self.machine.put("given", f"#cloud-config\ngit: [{item}]\n")
            self.assert_code(self.machine.agent("validate", path), EXIT_INPUT)

    def test_the_page(self):
        for comment, text in Page("bootlace-git.7").blocks("EXAMPLES"):
            path = self.machine.put("given", "#cloud-config\n" + text)
            self.assert_code(self.machine.agent("validate", path), 0)


if __name__ == "__main__":
    unittest.main()
