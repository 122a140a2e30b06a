#!/usr/bin/python3
"""A bootstrapped web server, by one cloud-config: installed, its content copied from S3, its name
registered in DNS, its service started; and the page answers under that name.

The package comes from a folder of packages, S3 is Swift, the name server is BIND.
"""

import unittest

from web_site import KEY, NAME, PAGE, S3_PORT, SiteTest, user_data
import image as images
import network
import roots

PACKAGE = "nginx-light"


class WebServer(SiteTest):
    def test_from_nothing_to_a_page_under_its_name(self):
        one = self.machine()
        one.use_repository(roots.repository(images.cached_root(), [PACKAGE]))
        names = self.start_names(one)
        one.set_metadata(user_data=user_data("web-server.yaml", names.secrets[KEY]))
        self.set_endpoints(one, S3=S3_PORT)
        self.start_store(one)
        self.boot(one)
        status = self.assert_ends(one, "done", limit=180)
        self.assertEqual([(step["name"], step["status"]) for step in self.wishes(status)],
                         [("packages", "done"), ("s3", "done"), ("dns", "done"),
                          ("services", "done")])
        self.assertEqual(names.dig(NAME, "A"), [network.MACHINE_ADDRESS])
        [address] = names.dig(NAME, "A")
        self.assertEqual(one.network.fetch(f"http://{address}/"), PAGE)
        self.assertEqual(one.network.fetch(f"http://{address}/css/site.css"), "h1 {}\n")
        self.assertEqual(one.run(["stat", "-c", "%U %a", "/var/www/html/index.html"]).stdout,
                         "www-data 644\n")
        shown = one.run([one.image.program, "status", "--format", "json"]).stdout
        self.assertNotIn(names.secrets[KEY], shown + one.journal())

        with self.subTest("after a restart the page is there, and nothing is done again"):
            one.reboot()
            self.assert_booted_well(one)
            status = self.assert_ends(one, "done", limit=60)
            self.assertEqual({step["name"]: step.get("changed") for step in self.wishes(status)},
                             {"packages": True, "s3": True, "dns": False, "services": False})
            self.assertEqual(one.network.fetch(f"http://{address}/"), PAGE)


if __name__ == "__main__":
    unittest.main()
