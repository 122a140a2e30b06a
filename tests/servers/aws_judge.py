"""AWS's services for tests, at a port of 127.0.0.1: every request is judged by Debian's botocore.

    with AwsJudge() as judge:
        judge.answer("DescribeTargetHealth", {"TargetHealthDescriptions": […]})
        judge.refuse("RegisterTargets", "Throttling", "Rate exceeded", status=400, times=2)
        run_something(judge.environment())     # endpoints, credentials and region as variables
        judge.assert_well()                    # no request was wrong in any way
        judge.calls("RegisterTargets")         # what came, decoded: .parameters, .headers, …

A request is right when its signature is (SigV4, made again by botocore of what came; every header
that counts is signed; the time is within five minutes of the judge's), when the service's model
takes it, and when botocore would have sent the same. Answers are given as the operation's output, a
dict in the shape that boto3 returns, or by a function of the parameters; what is not told gets {}.

Scripts are used up in the order that they were given in, for one operation or, with None, for any:
refuse() answers a code, fault() misbehaves: Fault(cut=N), Fault(delay=S), Fault(status=503,
body=b"…", headers={…}). judge.clock_s shifts the judge's clock; judge.expire() ends the credentials
that it gave out, judge.credentials = (…) are the ones that it takes.

Services: everything that botocore has a model of in the protocols query, ec2, rest-xml and json;
S3 with the bucket in the path.
"""

import collections
import email.utils
import re
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from botocore import auth, awsrequest, compat, credentials as keys

import aws_model

KEY_ID, SECRET = "AKIDJUDGE0EXAMPLE", "judge/secret+KEY0EXAMPLE"
REGION = "eu-central-2"
SKEW_ALLOWED_S = 300
SERVICE_VARIABLES = {"s3": "S3", "route53": "ROUTE_53", "ec2": "EC2", "ssm": "SSM", "sts": "STS",
                     "elbv2": "ELASTIC_LOAD_BALANCING_V2", "autoscaling": "AUTO_SCALING",
                     "cloudformation": "CLOUDFORMATION", "secretsmanager": "SECRETS_MANAGER"}

# How each protocol or service says what is wrong with a signature: (code, status).
_REFUSALS = {
    "s3": {"skew": ("RequestTimeTooSkewed", 403), "key": ("InvalidAccessKeyId", 403),
           "signature": ("SignatureDoesNotMatch", 403), "expired": ("ExpiredToken", 400)},
    "ec2": {"skew": ("RequestExpired", 400), "key": ("AuthFailure", 401),
            "signature": ("AuthFailure", 401), "expired": ("RequestExpired", 400)},
    "json": {"skew": ("InvalidSignatureException", 400),
             "key": ("UnrecognizedClientException", 400),
             "signature": ("InvalidSignatureException", 400),
             "expired": ("ExpiredTokenException", 400)},
    "query": {"skew": ("SignatureDoesNotMatch", 403), "key": ("InvalidClientTokenId", 403),
              "signature": ("SignatureDoesNotMatch", 403), "expired": ("ExpiredToken", 403)},
}

Call = collections.namedtuple("Call", "operation parameters service region request problems")


class Fault:
    """A misbehaviour: an answer of this status and body, or one that is late or cut off."""

    def __init__(self, *, status=None, body=b"", headers=None, delay=0, cut=None):
        self.status = status
        self.body = body
        self.headers = headers or {}
        self.delay = delay
        self.cut = cut  # so many bytes of the answer, and the connection is reset


class _Refusal(Exception):
    def __init__(self, kind, words):
        super().__init__(words)
        self.kind = kind


class AwsJudge:
    def __init__(self, *, host="127.0.0.1", port=0):
        self.credentials = (KEY_ID, SECRET, None)
        self.region = REGION
        self.clock_s = 0
        self.all = []
        self._answers = {}
        self._scripts = []
        self._expired = set()
        self._lock = threading.Lock()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                outer._serve(self)

            do_POST = do_PUT = do_HEAD = do_DELETE = do_GET

            def log_message(self, *_arguments):
                pass

            def date_time_string(self, timestamp=None):
                return email.utils.formatdate(time.time() + outer.clock_s, usegmt=True)

        self._server = ThreadingHTTPServer((host, port), Handler)
        self._server.daemon_threads = True

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_error):
        self._server.shutdown()
        self._server.server_close()

    # ---- what a test says ----

    @property
    def url(self):
        return "http://{}:{}".format(*self._server.server_address[:2])

    def environment(self, *services, credentials=True):
        """Variables that lead an SDK here: for the services named, or for all."""
        found = {f"AWS_ENDPOINT_URL_{SERVICE_VARIABLES[name]}": self.url for name in services} or \
            {"AWS_ENDPOINT_URL": self.url}
        if credentials:
            names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
            found.update({name: value for name, value in zip(names, self.credentials) if value})
        return {**found, "AWS_REGION": self.region}

    def answer(self, operation, output):
        """From now on; output is a dict, or a function of the parameters that returns one."""
        self._answers[operation] = output

    def refuse(self, operation, code, message="", *, status=400, times=1, headers=None):
        self._scripts += [(operation, (code, message, status, headers or {}))] * times

    def fault(self, operation, fault, *, times=1):
        self._scripts += [(operation, fault)] * times

    def expire(self):
        """The credentials that count now have ended: from here on they are refused as such."""
        self._expired.add(self.credentials[0])

    def calls(self, operation=None):
        return [call for call in self.all if operation in (None, call.operation)]

    def problems(self):
        return [f"{call.operation}: {problem}" for call in self.all for problem in call.problems]

    def assert_well(self):
        if self.problems():
            raise AssertionError("\n".join(self.problems()))

    # ---- one request ----

    def _serve(self, handler):
        body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        request = aws_model.Request(handler.command, handler.path, handler.headers, body)
        with self._lock:
            status, headers, answer, fault = self._judge(request)
        if fault:
            time.sleep(fault.delay)
        if fault and fault.cut is not None:
            self._cut(handler, fault, status, headers, answer)
            return
        handler.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(answer))}.items():
            handler.send_header(name, value)
        handler.end_headers()
        if handler.command != "HEAD":
            handler.wfile.write(answer)

    @staticmethod
    def _cut(handler, fault, status, headers, answer):
        lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(answer)}",
                 *(f"{name}: {value}" for name, value in headers.items())]
        whole = ("\r\n".join(lines) + "\r\n\r\n").encode() + answer
        handler.wfile.write(whole[:fault.cut])
        handler.wfile.flush()
        # With this, close() resets the connection instead of ending it.
        handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                      b"\1\0\0\0\0\0\0\0")
        handler.connection.close()
        handler.close_connection = True

    def _judge(self, request):
        scope = re.search(r"Credential=([^/]+)/(\d{8})/([^/]+)/([^/]+)/aws4_request",
                          request.headers.get("Authorization", ""))
        if not scope:
            self.all.append(Call(None, {}, None, None, request, ["it is not signed"]))
            return 403, {}, b"not signed", None
        service, region = scope[4], scope[3]
        version = re.search(rb"(?:^|&)Version=([^&]*)", request.body)
        version = version and version[1].decode()
        try:
            refusal = None
            self._verify(request, scope)
        except _Refusal as error:
            refusal = error
        try:
            decoded = aws_model.decode(service, request)
            operation, problems = decoded.operation, decoded.problems
            call = Call(operation.name, decoded.parameters, service, region, request, problems)
        except Exception as error:  # whatever a request does to botocore is the request's fault
            operation, call = None, Call(None, {}, service, region, request, [repr(error)])
        self.all.append(call)
        script = self._script(call.operation)
        if refusal:
            if refusal.kind == "signature":
                call.problems.append(str(refusal))
            return self._refusal(service, version, refusal)
        if isinstance(script, tuple):
            code, message, status, extra = script
            headers, body = aws_model.encode_error(service, version, code, message, status)
            return status, {**headers, **extra}, body, None
        if script and script.status:
            return script.status, script.headers, script.body, script
        if call.problems:
            headers, body = aws_model.encode_error(service, version, "ValidationError",
                                                   "; ".join(call.problems), 400)
            return 400, headers, body, None
        try:
            output = self._answers.get(operation.name, {})
            headers, body = aws_model.encode(
                operation, output(call.parameters) if callable(output) else output)
        except Exception as error:  # the test's answer is none of the operation's
            call.problems.append(f"its answer is wrong: {error!r}")
            return 500, {}, b"", None
        return 200, headers, body, script

    def _script(self, operation):
        for number, (name, script) in enumerate(self._scripts):
            if name in (None, operation):
                del self._scripts[number]
                return script
        return None

    @staticmethod
    def _refusal(service, version, refusal):
        protocol = aws_model.model_of(service, version).protocol
        kinds = _REFUSALS.get(service) or _REFUSALS.get(protocol) or _REFUSALS["query"]
        code, status = kinds[refusal.kind]
        headers, body = aws_model.encode_error(service, version, code, str(refusal), status)
        return status, headers, body, None

    def _verify(self, request, scope):
        """Raises what a service would say about the signature."""
        key_id, secret, token = self.credentials
        if scope[1] in self._expired:
            raise _Refusal("expired", "The security token included in the request is expired")
        if scope[1] != key_id or request.headers.get("X-Amz-Security-Token") != token:
            raise _Refusal("key", "The security token included in the request is invalid")
        signed = re.search(r"SignedHeaders=([^,\s]+)", request.headers["Authorization"])
        names = signed[1].split(";") if signed else []
        must = {"host"} | {name.lower() for name in request.headers
                           if name.lower().startswith("x-amz-")
                           or name.lower() in ("content-type", "content-md5", "range")}
        if must - set(names):
            raise _Refusal("signature", f"not signed: {sorted(must - set(names))}")
        self._verify_time(request)
        expected = self._signature(request, scope, names, secret)
        if not request.headers["Authorization"].endswith(f"Signature={expected}"):
            raise _Refusal("signature", "The request signature we calculated does not match the "
                                        "signature you provided.")

    def _verify_time(self, request):
        date = request.headers.get("X-Amz-Date", "")
        if not re.fullmatch(r"\d{8}T\d{6}Z", date):
            raise _Refusal("signature", "there is no X-Amz-Date")
        when = compat.datetime.datetime.strptime(date + "+0000", "%Y%m%dT%H%M%SZ%z").timestamp()
        if abs(when - time.time() - self.clock_s) > SKEW_ALLOWED_S:
            raise _Refusal("skew", f"Signature not current: {date}")

    @staticmethod
    def _signature(request, scope, names, secret):
        made = awsrequest.AWSRequest(
            method=request.method, url=f"http://{request.headers['Host']}{request.target}",
            data=request.body)
        for name in names:
            for value in request.headers.get_all(name) or []:
                made.headers.add_header(name, value)
        made.context["timestamp"] = request.headers["X-Amz-Date"]
        kind = auth.S3SigV4Auth if scope[4] == "s3" else auth.SigV4Auth
        signer = kind(keys.Credentials(scope[1], secret), scope[4], scope[3])
        return signer.signature(signer.string_to_sign(made, signer.canonical_request(made)), made)
