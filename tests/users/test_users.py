#!/usr/bin/python3
"""users and login-keys: accounts, keys and passwords in a small Debian of the test's own, whose
tools do the work, as in an image.

BOOTLACE_BUILD names the build folder.
"""

import os
import sys
import unittest
from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent
sys.path += [str(TESTS / "rig"), str(TESTS / "agent"), str(TESTS / "servers")]
import imds_tree  # noqa: E402  (found by the line above)
import roots  # noqa: E402
from agent import AgentTest, EXIT_INPUT, needs_root  # noqa: E402
from module_call import ModuleTest  # noqa: E402
from test_manual import Page  # noqa: E402

PACKAGES = ["passwd", "sudo", "openssh-server"]
KEY, OTHER, THIRD = (imds_tree.login_key(name).strip() for name in ("one", "two", "three"))
HASH = "$6$abcdefgh$" + "x" * 86
PASSWORD = "correct horse: battery"
PUBLIC = {"public-keys/": "0=my-key", "public-keys/0/openssh-key": KEY}


@needs_root
class UsersTest(ModuleTest):
    module = "users"

    def setUp(self):
        super().setUp()
        self.copy = roots.Copy(PACKAGES)
        self.copy.__enter__()
        self.addCleanup(self.copy.__exit__)
        self.root = str(self.copy.root)

    def take(self, status, settings=None, **how):
        called = self.assert_called(status, settings, root=self.root, **how)
        for secret in (PASSWORD, HASH):
            self.assertNotIn(secret, repr(called))
        return called

    def refuse(self, message, settings, **how):
        return self.assert_fails(message, settings, root=self.root, **how)

    def line(self, file, name):
        return next((line.split(":") for line in self.text(file).splitlines()
                     if line.startswith(name + ":")), None)

    def groups(self, name):
        return set(self.copy.run(["id", "-nG", name]).stdout.split())

    def keys(self, home):
        path = f"{home}/.ssh/authorized_keys"
        return self.text(path).splitlines() if self.exists(path) else []


class Accounts(UsersTest):
    def test_a_user_with_everything(self):
        settings = {"groups": ["web", {"ops": ["app", "daemon"]}], "users": [{
            "name": "app", "gecos": "The App", "groups": "web, www-data,extra", "uid": 4711,
            "primary_group": "apps", "homedir": "/srv/app", "shell": "/bin/dash",
            "expiredate": "2099-01-31", "inactive": "7", "sudo": ["ALL=(ALL) NOPASSWD: /bin/true"],
            "ssh_authorized_keys": [KEY, "# no key", f'from="10.0.0.1" {OTHER}'],
            "hashed_passwd": HASH, "lock_passwd": False}]}
        # The group's member is there a moment later.
        self.copy.run(["useradd", "app2"])
        settings["groups"][1]["ops"] = "app2,daemon"
        self.take("changed", settings)
        passwd = self.line("etc/passwd", "app")
        self.assertEqual((passwd[2], *passwd[4:]), ("4711", "The App", "/srv/app", "/bin/dash"))
        self.assertEqual(self.groups("app"), {"apps", "web", "www-data", "extra"})
        self.assertIn("ops", self.groups("app2") & self.groups("daemon"))
        shadow = self.line("etc/shadow", "app")
        self.assertEqual((shadow[1], shadow[6]), (HASH, "7"))
        self.assertEqual(self.keys("/srv/app"), [KEY, f'from="10.0.0.1" {OTHER}'])
        for path, mode in (("srv/app/.ssh", 0o700), ("srv/app/.ssh/authorized_keys", 0o600)):
            self.assertEqual((self.mode(path), os.stat(self.path(path)).st_uid), (mode, 4711))
        self.assertEqual(self.text("etc/sudoers.d/90-bootlace-users"),
                         "# Rules for app\napp ALL=(ALL) NOPASSWD: /bin/true\n")
        self.assertEqual(self.mode("etc/sudoers.d/90-bootlace-users"), 0o440)

        with self.subTest("a second run changes nothing"):
            called = self.take("unchanged", settings)
            self.assertEqual({item["status"] for item in called.items}, {"unchanged"})

        with self.subTest("more groups, another rule, another key"):
            settings["users"][0].update(groups=["web", "more"], sudo="ALL=(ALL) ALL",
                                        ssh_authorized_keys=[THIRD])
            self.take("changed", settings)
            self.assertIn("more", self.groups("app"))
            self.assertEqual(self.keys("/srv/app")[2:], [THIRD])
            self.assertIn("app ALL=(ALL) ALL\n", self.text("etc/sudoers.d/90-bootlace-users"))
            self.assertNotIn("NOPASSWD", self.text("etc/sudoers.d/90-bootlace-users"))

    def test_forms(self):
        for users in ("one,two", ["one", {"name": "two"}], {"one": None, "two": {"gecos": "2"}}):
            with self.subTest(users):
                self.take("changed", {"users": users})
                for name in ("one", "two"):
                    self.assertEqual(self.line("etc/shadow", name)[1], "!")
                    self.assertTrue(os.path.isdir(self.path(f"home/{name}")))
                    self.copy.run(["userdel", "--remove", name])
                self.assertIsNone(self.line("etc/passwd", "admin"))

    def test_system_users_and_homes(self):
        self.take("changed", {"users": [{"name": "sys", "system": True},
                                        {"name": "bare", "no_create_home": True,
                                         "no_user_group": True}]})
        self.assertLess(int(self.line("etc/passwd", "sys")[2]), 1000)
        self.assertFalse(self.exists("home/sys") or self.exists("home/bare"))
        self.assertIsNone(self.line("etc/group", "bare"))

    def test_groups_that_are_not_made(self):
        self.take("changed", {"users": [{"name": "app", "groups": "daemon,absent",
                                         "create_groups": False}]})
        self.assertEqual(self.groups("app"), {"app", "daemon"})

    def test_dry_run(self):
        before = self.text("etc/passwd")
        self.take("changed", {"users": ["default", {"name": "app", "sudo": "ALL=(ALL) ALL",
                                                    "plain_text_passwd": PASSWORD,
                                                    "ssh_authorized_keys": [KEY]}]}, dry_run=True)
        self.assertEqual(self.text("etc/passwd"), before)
        self.assertFalse(self.exists("etc/sudoers.d/90-bootlace-users"))

    def test_what_is_refused(self):
        for user, message in (({"name": "a b"}, "a b is no name of a user"),
                              ({"name": "-x"}, "-x is no name of a user"),
                              ({"name": "0"}, "0 is no name of a user"),
                              ({"name": "app", "gecos": "a:b"}, "gecos has a colon"),
                              ({"name": "app", "shell": "-s"}, "shell has a colon"),
                              ({"name": "app", "groups": "a b"}, "a group's name is none"),
                              ({"name": "app", "ssh_import_id": ["gh:x"]},
                               "ssh_import_id is not supported"),
                              ({"name": "app", "snapuser": "x@y"}, "snap users are not supported"),
                              ({"name": "app", "sudo": "no rule"}, "none that visudo takes"),
                              ({"name": "app", "sudo": "ALL=(ALL) ALL\nroot ALL=ALL"},
                               "has several lines"),
                              ({"name": "app", "ssh_authorized_keys": ["no key"]},
                               "one of the ssh_authorized_keys is no key"),
                              ({}, "a user without a name")):
            with self.subTest(user):
                called = self.refuse(message, {"users": [user, "good"]})
                self.assertNotEqual(called.item("good")["status"], "failed")
        self.assertFalse(self.exists("etc/sudoers.d/90-bootlace-users"))


class Passwords(UsersTest):
    def hash(self, name):
        return self.line("etc/shadow", name)[1]

    def test_plain_hashed_and_locked(self):
        settings = {"users": [
            {"name": "plain", "plain_text_passwd": PASSWORD, "lock_passwd": False},
            {"name": "new", "passwd": HASH, "lock_passwd": False},
            {"name": "locked", "hashed_passwd": HASH}]}
        self.take("changed", settings)
        self.assertRegex(self.hash("plain"), r"^\$")
        self.assertEqual((self.hash("new"), self.hash("locked")), (HASH, "!" + HASH))
        self.take("unchanged", settings)

        with self.subTest("passwd is for new users alone"):
            settings["users"][1]["passwd"] = HASH[:-1]
            self.take("unchanged", settings)
            settings["users"][1]["hashed_passwd"] = HASH[:-1] + "y"
            self.take("changed", settings)

    def test_chpasswd(self):
        self.copy.run(["useradd", "one"])
        self.copy.run(["useradd", "two"])
        settings = {"users": [], "chpasswd": {"expire": False,
                                              "list": f"one:{PASSWORD}\ntwo:{HASH}"}}
        self.take("changed", settings)
        self.assertEqual(self.hash("two"), HASH)
        self.take("unchanged", settings)
        self.assertNotEqual(self.line("etc/shadow", "one")[2], "0")
        self.take("changed", {"users": [], "chpasswd": {"users": [
            {"name": "two", "password": PASSWORD, "type": "text"}]}})
        self.assertEqual(self.line("etc/shadow", "two")[2], "0")  # it must be changed at login
        self.refuse("its user is not there", {"users": [], "chpasswd": {"list": ["absent:x"]}})

    def test_one_that_is_made_up(self):
        """Shown on the console, once, and nowhere else; the console is a file here."""
        self.copy.run(["useradd", "one"])
        self.copy.run(["useradd", "two"])
        console = os.path.join(self.work, "console")
        with open(console, "w", encoding="utf-8"):
            pass
        enter = ["unshare", "--mount", "sh", "-c",
                 f"mount --bind {console} /dev/console && exec \"$@\"", "sh"]
        if not os.path.exists("/dev/console"):
            self.skipTest("no console here that another can be put in place of")
        seen = set()
        for name, settings in (("one", {"list": "one:RANDOM"}),
                               ("two", {"users": [{"name": "two", "type": "RANDOM"}]})):
            called = self.take("changed", {"users": [], "chpasswd": settings}, wrapper=enter)
            with open(console, encoding="utf-8", newline="") as shown:
                line = shown.read()
            self.assertRegex(line, f"^bootlace: the password of {name} is [A-Za-z0-9]{{20}}\r\n$")
            password = line.split()[-1]
            seen.add(password)
            self.assertNotIn(password, repr(called))
            hashed = self.hash(name)
            made = self.copy.run(["perl", "-e", "print crypt($ARGV[0], $ARGV[1])", password,
                                  hashed]).stdout
            self.assertEqual(made, hashed)
            self.assertEqual(self.line("etc/shadow", name)[2], "0")
        self.assertEqual(len(seen), 2)

        with self.subTest("once for an instance, though the step be tried again"):
            again = {"users": [], "chpasswd": {"list": "one:R\nabsent:x"}}
            before = self.hash("one")
            os.truncate(console, 0)
            self.refuse("its user is not there", again, wrapper=enter)
            self.assertEqual((self.hash("one"), os.path.getsize(console)), (before, 0))
            self.refuse("its user is not there", again, wrapper=enter,
                        metadata={"instance-id": "i-2"})
            self.assertNotEqual(self.hash("one"), before)
            self.assertGreater(os.path.getsize(console), 0)

    def test_the_default_users_password(self):
        self.take("changed", {"password": PASSWORD, "chpasswd": {"expire": False}})
        self.assertRegex(self.hash("admin"), r"^\$")

    def test_logins_by_password(self):
        for wish, word in ((True, "yes"), (False, "no"), ("true", "yes")):
            self.take("changed", {"users": [], "ssh_pwauth": wish})
            self.take("unchanged", {"users": [], "ssh_pwauth": wish})
            self.copy.path("/run/sshd").mkdir(exist_ok=True)
            self.copy.run(["ssh-keygen", "-A"])
            shown = self.copy.run(["/usr/sbin/sshd", "-T"]).stdout
            self.assertIn(f"passwordauthentication {word}\n", shown)
        self.take("unchanged", {"users": [], "ssh_pwauth": "unchanged"})
        self.refuse("neither true, false nor unchanged", {"users": [], "ssh_pwauth": "maybe"})
        self.put("etc/ssh/sshd_config", "Port 22\n")
        self.refuse("includes no sshd_config.d", {"users": [], "ssh_pwauth": True})


class LoginKeys(UsersTest):
    module = "login-keys"

    def test_the_metadatas_key(self):
        self.take("changed", metadata=PUBLIC)
        self.assertEqual(self.keys("/home/admin"), [KEY])
        [root] = self.keys("/root")
        self.assertTrue(root.endswith(f' {KEY}'), root)
        self.assertIn('login as the user \\"admin\\" rather than the user \\"root\\"', root)
        self.assertIn("sudo", self.groups("admin"))
        self.assertEqual(self.line("etc/shadow", "admin")[1], "!")
        self.assertEqual(self.copy.run(["sudo", "-l", "-U", "admin"]).stdout.split()[-3:],
                         ["(ALL)", "NOPASSWD:", "ALL"])
        self.take("unchanged", metadata=PUBLIC)

        with self.subTest("what else is there stays"):
            mine = f"# mine\n{OTHER}\n\nhalf a line"
            self.put("home/admin/.ssh/authorized_keys", mine, 0o644)
            self.take("changed", metadata=PUBLIC)
            self.assertEqual(self.text("home/admin/.ssh/authorized_keys"), f"{mine}\n{KEY}\n")

        with self.subTest("another instance has another key"):
            self.take("changed", metadata={**PUBLIC, "instance-id": "i-2",
                                           "public-keys/0/openssh-key": THIRD})
            self.assertEqual(self.keys("/home/admin")[-1], THIRD)
            self.assertNotIn(KEY, self.text("home/admin/.ssh/authorized_keys")
                             + self.text("root/.ssh/authorized_keys"))

        with self.subTest("an image has none of them"):
            self.take("changed", phase="forget")
            self.assertEqual(self.text("home/admin/.ssh/authorized_keys"), f"{mine}\n")
            self.assertEqual(self.keys("/root"), [])

    def test_without_sudo(self):
        """There is no visudo to ask, and nothing to say of that."""
        self.copy.path("/usr/sbin/visudo").unlink()
        called = self.take("changed", metadata=PUBLIC)
        self.assertNotIn("message", called.item("admin"))

    def test_no_key_nobody(self):
        self.take("unchanged")
        self.assertIsNone(self.line("etc/passwd", "admin"))

    def test_settings_of_the_image(self):
        self.take("changed", {"default_user": {"name": "ops", "groups": ["daemon"], "sudo": None},
                              "disable_root": False, "ssh_authorized_keys": [OTHER]},
                  metadata=PUBLIC)
        self.assertEqual(self.keys("/home/ops"), [KEY, OTHER])
        self.assertEqual(self.keys("/root"), [KEY, OTHER])
        self.assertEqual(self.groups("ops"), {"ops", "daemon"})
        self.assertFalse(self.exists("etc/sudoers.d/90-bootlace-users"))

    def test_where_nobody_else_can_be_let_in_root_is(self):
        self.refuse("a b is no name of a user", {"default_user": "a b"}, metadata=PUBLIC)
        self.assertEqual(self.keys("/root"), [KEY])

    def test_the_metadatas_keys_may_be_unwanted(self):
        self.take("unchanged", {"allow_public_ssh_keys": False}, metadata=PUBLIC)

    def test_a_rule_that_is_wrong_keeps_nobody_out(self):
        self.take("changed", metadata=PUBLIC)
        self.refuse("none that visudo takes", {"default_user": {"sudo": "no rule"}},
                    metadata={**PUBLIC, "public-keys/0/openssh-key": THIRD})
        self.assertEqual(self.keys("/home/admin"), [THIRD])
        self.assertEqual(self.keys("/root"), [THIRD])

    def test_a_link_in_a_home_is_not_followed(self):
        self.take("changed", metadata=PUBLIC)
        for make in (lambda: os.symlink("/etc", self.path("home/admin/.ssh")),
                     lambda: (os.mkdir(self.path("home/admin/.ssh")),
                              os.symlink("/etc/passwd",
                                         self.path("home/admin/.ssh/authorized_keys")))):
            self.copy.run(["rm", "-rf", "/home/admin/.ssh"])
            make()
            before = self.text("etc/passwd")
            self.refuse("/home/admin/.ssh/authorized_keys cannot be written: it, or its folder, is "
                        "a link or somebody else's|Not a directory", {}, metadata=PUBLIC)
            self.assertEqual(self.text("etc/passwd"), before)
            self.assertFalse(self.exists("etc/authorized_keys"))

    def test_a_key_that_is_none(self):
        self.refuse("one of the metadata's public keys is no key", {},
                    metadata={**PUBLIC, "public-keys/0/openssh-key": "hello"})

    def test_a_key_that_is_none_costs_itself_alone(self):
        """Nobody is kept out by a key of somebody else's."""
        listed = {"public-keys/": "0=bad\n1=my-key", "public-keys/0/openssh-key": f"hello\n{THIRD}",
                  "public-keys/1/openssh-key": KEY}
        self.refuse("one of the ssh_authorized_keys is no key",
                    {"ssh_authorized_keys": ["no key", OTHER]}, metadata=listed)
        self.assertEqual(self.keys("/home/admin"), [THIRD, KEY, OTHER])
        self.assertEqual(len(self.keys("/root")), 3)

    def test_root_stays_closed_where_its_setting_is_wrong(self):
        self.refuse("disable_root", {"disable_root": "maybe"}, metadata=PUBLIC)
        self.assertEqual(self.keys("/home/admin"), [KEY])
        self.assertIn("rather than the user", self.keys("/root")[0])

    def test_a_home_is_reached_with_its_users_rights(self):
        """What the user cannot read, a name of it in the own folder does not show."""
        self.take("changed", metadata=PUBLIC)
        entry = self.line("etc/passwd", "admin")
        file = "home/admin/.ssh/authorized_keys"
        self.put("etc/secret", "# the machine's\n", 0o600)
        os.unlink(self.path(file))
        os.link(self.path("etc/secret"), self.path(file))
        self.refuse("authorized_keys cannot be written", {}, metadata=PUBLIC)
        self.assertEqual(os.stat(self.path(file)).st_ino, os.stat(self.path("etc/secret")).st_ino)
        self.assertEqual(self.text("etc/secret"), "# the machine's\n")

        with self.subTest("a home that is somebody else's"):
            os.unlink(self.path(file))
            os.chown(self.path("home/admin"), 12345, int(entry[3]))
            self.refuse("a link or somebody else's", {}, metadata=PUBLIC)
            self.assertFalse(self.exists(file))

        with self.subTest("folders that are root's, as sshd takes them"):
            for name in ("home/admin", "home/admin/.ssh"):
                os.chown(self.path(name), 0, 0)
            self.take("changed", metadata=PUBLIC)
            self.assertEqual(self.keys("/home/admin"), [KEY])
            self.assertEqual(os.stat(self.path(file)).st_uid, int(entry[2]))


class Together(UsersTest):
    """What the user-data says of users and keys is done behind login-keys."""

    def test_users_take_over(self):
        self.take("changed", module="login-keys", metadata=PUBLIC)
        self.take("changed", {"users": ["default", {"name": "guest", "ssh_redirect_user": True}],
                              "user": {"gecos": "Boss"}, "ssh_authorized_keys": [OTHER],
                              "disable_root": False}, metadata=PUBLIC)
        self.assertEqual(self.keys("/home/admin"), [KEY, OTHER])
        self.assertEqual(self.keys("/root"), [KEY, OTHER])
        self.assertRegex(self.keys("/home/guest")[0],
                         r'^no-port-forwarding.*"admin\\" rather than the user \\"guest\\".* ssh-')

    def test_no_default_user(self):
        self.take("changed", module="login-keys", metadata=PUBLIC)
        self.take("changed", {"users": ["other"]}, metadata=PUBLIC)
        self.assertEqual(self.keys("/home/admin"), [])
        self.assertRegex(self.keys("/root")[0], 'as the user \\\\"NONE')


class Settings(AgentTest):
    def test_values_that_are_wrong(self):
        for text in ("users: [{name: 5}]", "users: [{name: x, expiredate: soon}]", "groups: 5",
                     "chpasswd: {users: [{password: x}]}", "ssh_authorized_keys: key"):
            with self.subTest(text):
                path = self.machine.put("given", f"#cloud-config\n{text}\n")
                self.assert_code(self.machine.agent("validate", path), EXIT_INPUT)

    def test_the_pages(self):
        for page in ("bootlace-users.7", "bootlace-login-keys.7"):
            blocks = Page(page).blocks("EXAMPLES")
            self.assertTrue(blocks)
            for _comment, text in blocks:
                path = self.machine.put("given", "#cloud-config\n" + text)
                self.assert_code(self.machine.agent("validate", "--strict", path), 0)


if __name__ == "__main__":
    unittest.main()
