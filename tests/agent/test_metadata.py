#!/usr/bin/python3
"""The metadata source of the built agent against the tests' own service, through run and query.

What needs a network of its own is in test_metadata_network.py.
"""

import os
import socket
import sys
import threading
import unittest

sys.path.append(os.path.dirname(os.path.abspath(__file__)))

from metadata_rig import (DOCUMENT, EXIT_INPUT, EXIT_INTERNAL, EXIT_SOURCE,  # noqa: E402
                          EXIT_USAGE, SOON_S, TOKEN, USER_DATA, MetadataTest, imds_tree, settings)

HOSTNAME = "/latest/meta-data/hostname"
PUBLIC_IPV4 = "/latest/meta-data/public-ipv4"
EC2_USER_DATA_MAX = 16384
FIRST_BOOT_MAX = 5
LATER_BOOT_MAX = 2


class Normal(MetadataTest):
    def test_first_boot_takes_five_requests_on_one_connection(self):
        service = self.serve()
        self.assert_ran(self.run_agent(service))
        requests = service.requests()
        self.assertLessEqual(len(requests), FIRST_BOOT_MAX)
        self.assertEqual(sorted(one.path for one in requests),
                         sorted([TOKEN, DOCUMENT, USER_DATA, HOSTNAME, PUBLIC_IPV4]))
        self.assertEqual({one.connection for one in requests}, {1})
        self.assertEqual([one.token for one in requests], ["none"] + ["valid"] * 4)

    def test_later_run_takes_two_requests(self):
        service = self.serve()
        self.assert_ran(self.run_agent(service))
        before = len(service.requests())
        self.assertEqual(self.run_agent(service).code, 0)
        later = service.requests()[before:]
        self.assertLessEqual(len(later), LATER_BOOT_MAX)
        self.assertEqual([one.path for one in later], [TOKEN, DOCUMENT])
        self.assertEqual(len(self.runs()), 1)

    def test_every_byte_of_16_kib_arrives(self):
        head = f"#!/bin/sh\necho \"$BOOTLACE_HOSTNAME\" >>{self.mark}\nexit 0\n".encode()
        self.give(head + bytes(range(256)) * 64)
        self.user_data = self.user_data[:EC2_USER_DATA_MAX]
        imds_tree.put_item(self.tree, "user-data", self.user_data)
        self.assertEqual(len(self.user_data), EC2_USER_DATA_MAX)
        self.run_agent(self.serve())
        self.assertEqual(self.kept_user_data(), self.user_data)
        asked = self.agent("query", "user-data", endpoint=self.serve().endpoint)
        self.assertEqual(asked.out, self.user_data)

    def test_16_kib_script_runs(self):
        script = f"#!/bin/sh\necho \"$BOOTLACE_HOSTNAME\" >>{self.mark}\n#".encode()
        self.give(script + b"x" * (EC2_USER_DATA_MAX - len(script)))
        self.assert_ran(self.run_agent(self.serve()))

    def test_tokens_required(self):
        self.assert_ran(self.run_agent(self.serve(mode="v2")))

    def test_no_tokens_known(self):
        service = self.serve(mode="v1")
        self.assert_ran(self.run_agent(service))
        requests = service.requests()
        self.assertEqual([one.token for one in requests], ["none"] * FIRST_BOOT_MAX)
        self.assertEqual([one.outcome for one in requests], ["404"] + ["200"] * 4)
        self.assertEqual(requests[0].path, TOKEN)

    def test_ipv6(self):
        service = self.serve(listen="[::1]:0", ipv6=True)
        self.assert_ran(self.run_agent(service))

    def test_host_name_as_endpoint(self):
        service = self.serve()
        self.put("etc/bootlace/config.yaml", settings())
        self.assert_ran(self.agent("run", endpoint=f"http://localhost:{service.port}/"))

    def test_endpoint_from_the_configuration(self):
        service = self.serve()
        self.assert_ran(self.run_agent(None, limits=settings(endpoint=service.endpoint)))

    def test_no_user_data(self):
        self.give(None)
        service = self.serve()
        outcome = self.run_agent(service)
        self.assertEqual(outcome.code, 0, outcome)
        status = self.status()
        self.assertEqual(status["status"], "done")
        self.assertEqual(status["steps"], [])
        self.assert_requests(service, f"PUT {TOKEN} none 200", f"GET {DOCUMENT} valid 200",
                             f"GET {USER_DATA} valid 404")
        self.assert_no_markup_kept()

    def test_proxy_variables_have_no_effect(self):
        service = self.serve()
        with socket.create_server(("127.0.0.1", 0)) as proxy:
            proxy.settimeout(0.2)
            url = f"http://127.0.0.1:{proxy.getsockname()[1]}"
            names = ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy",
                     "ALL_PROXY")
            outcome = self.run_agent(service, environment={
                **{name: url for name in names}, "no_proxy": "", "CURL_CA_BUNDLE": "/dev/null",
                "SSL_CERT_FILE": "/dev/null"})
            self.assert_ran(outcome)
            with self.assertRaises(TimeoutError):
                proxy.accept()

    def test_document_that_is_missing(self):
        imds_tree.remove_item(self.tree, "dynamic")
        service = self.serve()
        self.assert_ran(self.run_agent(service))
        self.assertIn("/latest/meta-data/instance-id", [one.path for one in service.requests()])

    def test_markup_in_place_of_the_document(self):
        """A 200 whose body is an XHTML page is no document: the id is asked for alone."""
        service = self.serve(f"{DOCUMENT}:status=200")
        self.assert_ran(self.run_agent(service))
        self.assert_no_markup_kept()

    def test_markup_in_place_of_the_id(self):
        imds_tree.remove_item(self.tree, "dynamic")
        service = self.serve("*/instance-id:status=200")
        self.assert_refused(self.run_agent(service), "instance's id cannot be one")
        self.assert_no_markup_kept()


class StatusTable(MetadataTest):
    def test_400_to_the_put_is_a_bug_of_ours(self):
        service = self.serve("PUT *:status=400")
        self.assert_refused(self.run_agent(service), "a bug of bootlace", code=EXIT_INTERNAL)
        self.assert_requests(service, f"PUT {TOKEN} none 400")

    def test_401_is_worth_one_new_token(self):
        """Tokens that expire mid-way: each is renewed once, and all goes on."""
        service = self.serve(f"{USER_DATA}:expire@1", f"{HOSTNAME}:expire@1")
        self.assert_ran(self.run_agent(service))
        outcomes = [one.outcome for one in service.requests()]
        self.assertEqual(outcomes.count("401"), 2)
        self.assertEqual([one.method for one in service.requests()].count("PUT"), 3)
        self.assertEqual(len(outcomes), FIRST_BOOT_MAX + 4)

    def test_401_again_is_final(self):
        service = self.serve("GET *:status=401")
        self.assert_refused(self.run_agent(service), "refused the token", "401", within=SOON_S)
        self.assert_requests(service, f"PUT {TOKEN} none 200", f"GET {DOCUMENT} valid 401",
                             f"PUT {TOKEN} none 200", f"GET {DOCUMENT} valid 401")
        self.assert_no_markup_kept()

    def test_403_is_final(self):
        for fault, requests in (("PUT *:status=403", 1), (f"{DOCUMENT}:status=403", 2),
                                (f"{USER_DATA}:status=403", 3)):
            with self.subTest(fault):
                service = self.serve(fault)
                self.assert_refused(self.run_agent(service), "403", "does not allow", within=SOON_S)
                self.assertEqual(len(service.requests()), requests)
                service.stop()

    def test_unexpected_statuses_are_final(self):
        for status in ("400", "405", "410", "204", "206"):
            with self.subTest(status):
                service = self.serve(f"{USER_DATA}:status={status}")
                self.assert_refused(self.run_agent(service), status, within=SOON_S)
                self.assertEqual(len(service.requests()), 3)
                service.stop()
        self.assert_no_markup_kept()

    def test_busy_is_asked_again(self):
        for status in ("429", "503", "500", "502"):
            with self.subTest(status):
                self.setUp()
                service = self.serve(f"PUT *:status={status}@1",
                                     f"{DOCUMENT}:status={status},empty@1-2",
                                     f"{USER_DATA}:status={status}@1-2")
                self.assert_ran(self.run_agent(service, limits=settings(wait=15)))
                self.assertEqual(len(service.requests()), FIRST_BOOT_MAX + 5)
                self.assertEqual({one.connection for one in service.requests()}, {1})
                self.assert_no_markup_kept()

    def test_busy_for_ever_ends_at_the_limit(self):
        service = self.serve(f"{USER_DATA}:status=503")
        outcome = self.run_agent(service, limits=settings(wait=2))
        self.assert_refused(outcome, "answered 503", within=SOON_S)
        self.assertGreater(outcome.seconds, 1)
        self.assertGreater(len(service.requests()), 4)
        self.assertLess(len(service.requests()), 40)
        self.assert_no_markup_kept()

    def test_retry_after_is_honoured(self):
        service = self.serve(f"{USER_DATA}:status=429,retry-after=1@1")
        self.assert_ran(self.run_agent(service, limits=settings(wait=10)))
        asked = [one.ms for one in service.requests() if one.path == USER_DATA]
        self.assertEqual(len(asked), 2)
        self.assertGreaterEqual(asked[1] - asked[0], 1000)
        self.assertLess(asked[1] - asked[0], 3000)

    def test_retry_after_as_a_date(self):
        service = self.serve(f"{USER_DATA}:status=503@1",
                             f"{USER_DATA}:header=Retry-After: Fri, 31 Dec 2100 23:59:59 GMT@1")
        outcome = self.run_agent(service, limits=settings(wait=2))
        self.assert_ran(outcome)
        asked = [one.ms for one in service.requests() if one.path == USER_DATA]
        self.assertGreater(asked[1] - asked[0], 1000)  # the last moment that an answer can use
        self.assertLess(outcome.seconds, SOON_S)

    def test_retry_after_beyond_the_limit(self):
        service = self.serve(f"{USER_DATA}:status=503,retry-after=600")
        outcome = self.run_agent(service, limits=settings(wait=2))
        self.assert_refused(outcome, "answered 503", "600 s", within=SOON_S)
        self.assertEqual([one.path for one in service.requests()].count(USER_DATA), 2)

    def test_put_that_knows_no_tokens(self):
        for status in ("404", "405", "501"):
            with self.subTest(status):
                self.setUp()
                service = self.serve(f"PUT *:status={status}")
                self.assert_ran(self.run_agent(service))
                self.assertEqual([one.token for one in service.requests()], ["none"] * 5)
                self.assertEqual([one.method for one in service.requests()].count("PUT"), 1)

    def test_put_that_knows_no_tokens_where_one_is_wanted(self):
        service = self.serve("PUT *:status=405", mode="v2")
        self.assert_refused(self.run_agent(service), "wants a token (401)", "405", within=SOON_S)
        self.assertEqual(len(service.requests()), 2)

    def test_silent_put_while_a_get_answers(self):
        service = self.serve("PUT *:silence")
        self.assert_ran(self.run_agent(service))
        self.assertEqual([one.token for one in service.requests()], ["none"] * 5)
        self.assertEqual([one.method for one in service.requests()].count("PUT"), 1)

    def test_redirects_are_not_followed(self):
        elsewhere = self.serve(work=os.path.join(self.work, "elsewhere"))
        for method, path in (("PUT", TOKEN), ("GET", DOCUMENT), ("GET", USER_DATA)):
            with self.subTest(path):
                service = self.serve(f"{method} {path}:redirect={elsewhere.endpoint}{path}")
                self.assert_refused(self.run_agent(service), "redirect (302)", within=SOON_S)
                service.stop()
        self.assertEqual(elsewhere.requests(), [])


class Trouble(MetadataTest):
    def test_slow_answers_within_the_limit(self):
        self.assert_ran(self.run_agent(self.serve("*:slow=150")))

    def test_slow_once(self):
        """One answer beyond the time of a request, then all is well."""
        for path in (TOKEN, DOCUMENT, USER_DATA):
            with self.subTest(path):
                self.setUp()
                service = self.serve(f"{path}:slow=3000@1", mode="v2")
                self.assert_ran(self.run_agent(service))

    def test_trickle_within_the_limit(self):
        self.assert_ran(self.run_agent(self.serve(f"{USER_DATA}:trickle=16/10")))

    def test_trickle_beyond_the_limit(self):
        service = self.serve(f"{USER_DATA}:trickle=1/100")
        outcome = self.run_agent(service, limits=settings(wait=2))
        self.assert_refused(outcome, "no whole answer within 400 ms", within=SOON_S)

    def test_cut_off_once(self):
        for fault in ("truncate=10", "truncate=0", "reset", "close", "garbage"):
            for path in (TOKEN, DOCUMENT, USER_DATA):
                with self.subTest(fault=fault, path=path):
                    self.setUp()
                    self.assert_ran(self.run_agent(self.serve(f"{path}:{fault}@1")))

    def test_cut_off_for_ever(self):
        for fault, words in (("truncate=10", "cut off"), ("reset", "cut off"),
                             ("close", "cut off"), ("garbage", "garbled")):
            with self.subTest(fault):
                self.setUp()
                service = self.serve(f"{USER_DATA}:{fault}")
                outcome = self.run_agent(service, limits=settings(wait=1))
                self.assert_refused(outcome, words, within=SOON_S)

    def test_content_length_too_small(self):
        """What is left of the answer is a part: not run, and asked for again."""
        for size in ("-1", "-5"):
            with self.subTest(size):
                self.setUp()
                service = self.serve(f"{USER_DATA}:length={size}@1-2")
                self.assert_ran(self.run_agent(service))
                self.assertEqual([one.path for one in service.requests()].count(USER_DATA), 3)

    def test_content_length_too_small_for_ever(self):
        for filler in (0, EC2_USER_DATA_MAX):
            with self.subTest(filler):
                self.setUp()
                self.give(self.user_data + b"#" * filler)
                service = self.serve(f"{USER_DATA}:length=-1")
                outcome = self.run_agent(service, limits=settings(wait=1))
                self.assert_refused(outcome, "more came than its Content-Length says",
                                    within=SOON_S)

    def test_content_length_too_large(self):
        self.assert_ran(self.run_agent(self.serve(f"{USER_DATA}:length=+7@1")))
        self.setUp()
        service = self.serve(f"{USER_DATA}:length=+7")
        outcome = self.run_agent(service, limits=settings(wait=1))
        self.assert_refused(outcome, "no whole answer", within=SOON_S)

    def test_connections_that_end_after_each_answer(self):
        for fault in ("connection-close", "hang-up"):
            with self.subTest(fault):
                self.setUp()
                service = self.serve(f"*:{fault}")
                self.assert_ran(self.run_agent(service))
                self.assertEqual(len(service.requests()), FIRST_BOOT_MAX)

    def test_endless_user_data(self):
        for form in ("huge=64M", "huge=64M,unannounced"):
            with self.subTest(form):
                self.setUp()
                service = self.serve(f"{USER_DATA}:{form}")
                self.assert_refused(self.run_agent(service),
                                    "larger than the limit of 4194304 bytes", within=SOON_S)

    def test_endless_token_and_document(self):
        for path, words in ((TOKEN, "limit of 4096 bytes"), (DOCUMENT, "limit of 65536 bytes")):
            with self.subTest(path):
                self.setUp()
                service = self.serve(f"{path}:huge=1M")
                self.assert_refused(self.run_agent(service), words, within=SOON_S)

    def test_endless_error(self):
        """Only the status of an error counts."""
        service = self.serve(f"{USER_DATA}:huge=1024G", f"{USER_DATA}:status=404")
        outcome = self.run_agent(service, limits=settings(timeout=10, wait=20))
        self.assertEqual(outcome.code, 0, outcome)
        self.assertEqual(self.runs(), [])
        self.assertLess(outcome.seconds, SOON_S)

    def test_token_that_cannot_be_one(self):
        service = self.serve("PUT *:status=200")
        self.assert_refused(self.run_agent(service), "cannot be one", within=SOON_S)
        self.assertEqual(len(service.requests()), 1)


class Silence(MetadataTest):
    def test_nothing_listens(self):
        service = self.serve()
        endpoint = service.endpoint
        service.stop()
        self.put("etc/bootlace/config.yaml", settings(wait=1))
        outcome = self.agent("run", endpoint=endpoint)
        self.assert_refused(outcome, "connection refused by 127.0.0.1", within=SOON_S)
        self.assertGreater(outcome.seconds, 0.5)

    def test_attempts_bound_the_tries(self):
        service = self.serve()
        endpoint = service.endpoint
        service.stop()
        self.put("etc/bootlace/config.yaml", settings(wait=20))
        outcome = self.agent("run", endpoint=endpoint,
                             environment={"AWS_METADATA_SERVICE_NUM_ATTEMPTS": "2",
                                          "AWS_METADATA_SERVICE_TIMEOUT": "1"})
        self.assert_refused(outcome, "2 tries", within=SOON_S)

    def test_no_answer_at_all(self):
        service = self.serve("*:silence")
        outcome = self.run_agent(service, limits=settings(wait=2))
        self.assert_refused(outcome, "takes the connection but gives no whole answer",
                            within=SOON_S)
        self.assertGreater(outcome.seconds, 1.5)

    def test_hop_limit(self):
        service = self.serve("PUT *:silence", mode="v2")
        outcome = self.run_agent(service, limits=settings(wait=2))
        self.assert_refused(outcome, "too few hops", "HttpPutResponseHopLimit", within=SOON_S)
        self.assert_no_markup_kept()

    def test_no_answer_to_a_connection(self):
        """A full queue of connections that nobody accepts: the next one's SYN is dropped."""
        with socket.socket() as deaf:
            deaf.bind(("127.0.0.1", 0))
            deaf.listen(0)
            endpoint = f"http://127.0.0.1:{deaf.getsockname()[1]}"
            with socket.create_connection(deaf.getsockname()):
                self.put("etc/bootlace/config.yaml", settings(wait=1))
                outcome = self.agent("run", endpoint=endpoint)
        self.assert_refused(outcome, "not even to a connection", within=SOON_S)

    def test_service_that_comes_up_late(self):
        service = self.serve(delay_start=1.5)
        self.assert_ran(self.run_agent(service, limits=settings(wait=20)))
        self.assertLess(service.requests()[0].ms - service.ready_ms(), 400)
        self.assertEqual(len(service.requests()), FIRST_BOOT_MAX)

    def test_disabled(self):
        service = self.serve()
        outcome = self.run_agent(service, environment={"AWS_EC2_METADATA_DISABLED": "true"})
        self.assert_refused(outcome, "AWS_EC2_METADATA_DISABLED", within=SOON_S)
        self.assertEqual(service.requests(), [])

    def test_endpoints_that_are_none(self):
        for endpoint in ("https://127.0.0.1", "127.0.0.1", "http://a b", "http://user@127.0.0.1"):
            with self.subTest(endpoint):
                outcome = self.agent("run", endpoint=endpoint)
                self.assert_refused(outcome, "endpoint", code=EXIT_INPUT, within=SOON_S)


class Query(MetadataTest):
    def query(self, service, *paths):
        self.put("etc/bootlace/config.yaml", settings())
        return self.agent("query", *paths, endpoint=service.endpoint)

    def test_items(self):
        service = self.serve()
        for path, value in (("hostname", self.facts["hostname"]),
                            ("placement/availability-zone", self.facts["zone"]),
                            ("/instance-id", self.facts["instance_id"]),
                            ("tags/instance/Name", "bootlace-test"),
                            ("public-keys/0/openssh-key", self.facts["public_key"].strip())):
            with self.subTest(path):
                outcome = self.query(service, path)
                self.assertEqual(outcome.code, 0, outcome)
                self.assertEqual(outcome.out.decode().strip(), value)

    def test_listing(self):
        outcome = self.query(self.serve(), "placement/")
        self.assertEqual(outcome.out.decode().split(),
                         ["availability-zone", "availability-zone-id", "region"])

    def test_dynamic(self):
        outcome = self.query(self.serve(), "dynamic/instance-identity/document")
        self.assertIn(b'"instanceId"', outcome.out)

    def test_absent(self):
        outcome = self.query(self.serve(), "no/such/item")
        self.assertEqual((outcome.code, outcome.out), (1, b""), outcome)

    def test_paths_that_lead_away(self):
        service = self.serve()
        for path in ("../user-data", "a/../../user-data", "hostname?x", "a b", "a#b", "a\nb"):
            with self.subTest(path):
                outcome = self.query(service, path)
                self.assertEqual((outcome.code, outcome.out), (EXIT_USAGE, b""), outcome)
        asked = {one.path for one in service.requests()}
        self.assertLessEqual(asked, {TOKEN, DOCUMENT})

    def test_bytes_that_need_encoding(self):
        imds_tree.put_item(self.tree, "meta-data/tags/instance/\u00e4%41", "value")
        outcome = self.query(self.serve(), "tags/instance/\u00e4%41")
        self.assertEqual((outcome.code, outcome.out.strip()), (0, b"value"), outcome)

    def test_errors_print_nothing(self):
        for status in ("403", "302"):
            with self.subTest(status):
                outcome = self.query(self.serve(f"{HOSTNAME}:status={status}"), "hostname")
                self.assertEqual((outcome.code, outcome.out), (EXIT_SOURCE, b""), outcome)
                self.assertIn(status, outcome.chatter)

    def test_too_large(self):
        outcome = self.query(self.serve(f"{HOSTNAME}:huge=100k"), "hostname")
        self.assertEqual((outcome.code, outcome.out), (EXIT_SOURCE, b""), outcome)
        self.assertIn("limit of 65536 bytes", outcome.chatter)

    def test_many_at_once_make_do_with_one_connection(self):
        service = self.serve()
        paths = ["hostname", "mac", "ami-id", "public-ipv4", "security-groups"]
        outcome = self.query(service, *paths)
        self.assertEqual(outcome.code, 0, outcome)
        self.assertEqual({one.connection for one in service.requests()}, {1})

    def test_two_at_the_same_time(self):
        """Each process has its own session; the service serves both."""
        service = self.serve("*:slow=50")
        outcomes = []
        threads = [threading.Thread(target=lambda: outcomes.append(
            self.agent("query", "hostname", endpoint=service.endpoint))) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual([one.out.decode().strip() for one in outcomes],
                         [self.facts["hostname"]] * 3)


if __name__ == "__main__":
    unittest.main()
