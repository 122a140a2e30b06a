"""A name server of the tests' own, which does as it is told: it refuses with any code, signs as it
should or should not, has another clock, falls silent, hangs up, or answers with garbage.

DNS messages (RFC 1035), updates (RFC 2136) and TSIG (RFC 8945), over TCP on 127.0.0.1. Unless told
otherwise it keeps what updates put and answers questions for it, as any server does. Every message
that came is kept as it was.
"""

import base64
import hashlib
import hmac
import socket
import struct
import threading
import time
from collections import namedtuple

A, CNAME, SOA, PTR, AAAA, TSIG, ANY = 1, 5, 6, 12, 28, 250, 255
IN, NONE_CLASS, ANY_CLASS = 1, 254, 255
QUERY, UPDATE = 0, 5
QR, AA, TC = 0x8000, 0x0400, 0x0200

NOERROR, FORMERR, SERVFAIL, NXDOMAIN, NOTIMP, REFUSED, YXDOMAIN, YXRRSET, NXRRSET, NOTAUTH, \
    NOTZONE = range(11)
BADSIG, BADKEY, BADTIME, BADTRUNC = 16, 17, 18, 22

HASHES = {"hmac-sha256.": hashlib.sha256, "hmac-sha512.": hashlib.sha512,
          "hmac-sha1.": hashlib.sha1, "hmac-md5.sig-alg.reg.int.": hashlib.md5}
MAC_FIELDS = struct.Struct("!HIH")  # time (in two parts), fudge
ACCEPT_S = 0.2
HANG_UP = b""  # in place of an answer

Record = namedtuple("Record", "name type klass ttl data")
Signature = namedtuple("Signature", "key algorithm time fudge mac id error other begin")


class Broken(Exception):
    """A message that is none."""


def encode_name(name):
    labels = [label for label in name.rstrip(".").split(".") if label]
    return b"".join(bytes([len(label)]) + label.encode() for label in labels) + b"\0"


def decode_name(message, at):
    """The name, lower-case and with its final dot, and where it ends."""
    labels, end = [], None
    for _ in range(128):
        size = message[at]
        if size >= 0xc0:
            end = end or at + 2
            at = (size & 0x3f) << 8 | message[at + 1]
        elif size:
            labels.append(message[at + 1:at + 1 + size].decode().lower())
            at += 1 + size
        else:
            return ".".join(labels) + ".", end or at + 1
    raise Broken("a name without an end")


def encode_time(when, fudge):
    return MAC_FIELDS.pack(when >> 32, when & 0xffffffff, fudge)


class Message:
    """A message read: its sections as records; its signature apart."""

    def __init__(self, wire):
        self.wire = wire
        self.id, self.flags, questions, *counts = struct.unpack("!6H", wire[:12])
        self.opcode = self.flags >> 11 & 15
        self.rcode = self.flags & 15
        at, self.questions, self.sections, self.signature = 12, [], [], None
        for _ in range(questions):
            name, at = decode_name(wire, at)
            self.questions.append(Record(name, *struct.unpack("!HH", wire[at:at + 4]), 0, b""))
            at += 4
        for count in counts:
            records = []
            for _ in range(count):
                begin = at
                record, at, data_at = self._record(at)
                if record.type == TSIG:
                    self.signature = self._signature(record, data_at, begin)
                else:
                    records.append(record)
            self.sections.append(records)
        if at != len(wire):
            raise Broken("something is behind the message")

    def _record(self, at):
        name, at = decode_name(self.wire, at)
        kind, klass, ttl, size = struct.unpack("!HHIH", self.wire[at:at + 10])
        at += 10
        data = self.wire[at:at + size]
        if kind in (CNAME, PTR) and size:
            data = encode_name(decode_name(self.wire, at)[0])
        return Record(name, kind, klass, ttl, data), at + size, at

    def _signature(self, record, at, begin):
        algorithm, at = decode_name(self.wire, at)
        high, low, fudge, size = struct.unpack("!HIHH", self.wire[at:at + 10])
        at += 10
        mac = self.wire[at:at + size]
        number, error, rest = struct.unpack("!HHH", self.wire[at + size:at + size + 6])
        other = self.wire[at + size + 6:at + size + 6 + rest]
        return Signature(record.name, algorithm, high << 32 | low, fudge, mac, number, error,
                         other, begin)

    def unsigned(self):
        """The message as it was before it was signed."""
        if not self.signature:
            return self.wire
        wire = bytearray(self.wire[:self.signature.begin])
        wire[10:12] = struct.pack("!H", struct.unpack("!H", wire[10:12])[0] - 1)
        wire[0:2] = struct.pack("!H", self.signature.id)
        return bytes(wire)


def make_mac(message, secret, signature, request_mac=b""):
    """What a signature's code must be (RFC 8945, 4.3)."""
    text = (struct.pack("!H", len(request_mac)) + request_mac if request_mac else b"") + message
    text += encode_name(signature.key) + struct.pack("!HI", ANY_CLASS, 0)
    text += encode_name(signature.algorithm) + encode_time(signature.time, signature.fudge)
    text += struct.pack("!HH", signature.error, len(signature.other)) + signature.other
    return hmac.new(base64.b64decode(secret), text, HASHES[signature.algorithm]).digest()


class ScriptedServer:
    """`with ScriptedServer(key, secret) as server:`. What it does is changed by setting `query` and
    `update`, functions of the message that came which give the bytes of the answer, HANG_UP, or
    None for silence."""

    def __init__(self, key=None, secret=None, zone="example.com."):
        self.key = key
        self.secret = secret
        self.zone = zone
        self.clock = 0  # seconds that it is ahead
        self.records = []
        self.messages = []
        self.query = self.answer_query
        self.update = self.answer_update

    def __enter__(self):
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._socket.settimeout(ACCEPT_S)
        self.port = self._socket.getsockname()[1]
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._ended.set()
        self._thread.join(5)
        self._socket.close()

    def settings(self, **more):
        """The module's `server`."""
        tsig = {"tsig": {"name": self.key, "secret": self.secret}} if self.key else {}
        return {"address": "127.0.0.1", "port": self.port, "zone": self.zone, **tsig, **more}

    def updates(self):
        return [message for message in self.messages if message.opcode == UPDATE]

    # ---- serving ----

    def _serve(self):
        while not self._ended.is_set():
            try:
                connection, _ = self._socket.accept()
            except (TimeoutError, socket.timeout):
                continue
            threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection):
        with connection:
            connection.settimeout(10)
            try:
                size = struct.unpack("!H", self._read(connection, 2))[0]
                message = Message(self._read(connection, size))
                self.messages.append(message)
                answer = (self.update if message.opcode == UPDATE else self.query)(message)
                if answer is None:
                    self._ended.wait(30)
                elif callable(answer):
                    answer(connection)
                elif answer:
                    connection.sendall(struct.pack("!H", len(answer)) + answer)
            except OSError:
                pass

    @staticmethod
    def _read(connection, size):
        data = b""
        while len(data) < size:
            more = connection.recv(size - len(data))
            if not more:
                raise ConnectionError("hung up")
            data += more
        return data

    # ---- answers ----

    def verify(self, message):
        """0, or the error of its signature."""
        signature = message.signature
        if not self.key:
            return 0
        if not signature or signature.key != self.key + ".":
            return BADKEY
        if make_mac(message.unsigned(), self.secret, signature) != signature.mac:
            return BADSIG
        if abs(time.time() + self.clock - signature.time) > signature.fudge:
            return BADTIME
        return 0

    def answer(self, message, rcode=NOERROR, records=(), authority=(), flags=AA, **how):
        """The bytes of an answer, signed where the server has a key; see sign()."""
        flags |= QR | message.opcode << 11 | rcode
        wire = struct.pack("!6H", message.id, flags, len(message.questions), len(records),
                           len(authority), 0)
        for question in message.questions:
            wire += encode_name(question.name) + struct.pack("!HH", question.type, question.klass)
        for record in (*records, *authority):
            wire += encode_name(record.name) + struct.pack("!HHIH", record.type, record.klass,
                                                           record.ttl, len(record.data))
            wire += record.data
        return self.sign(wire, message, **how) if self.key else wire

    def sign(self, wire, message, error=0, other=b"", mac=None, late=0, request_mac=None):
        """Signs an answer; mac b"": as a server does that cannot know the key."""
        asked = message.signature
        when = int(time.time() + self.clock - late)
        if error == BADTIME:
            when = asked.time
            other = other or struct.pack("!HI", *divmod(int(time.time() + self.clock), 1 << 32))
        made = Signature(self.key + ".", asked.algorithm, when, 300, b"", message.id, error, other,
                         0)
        if mac is None:
            mac = make_mac(wire, self.secret, made,
                           asked.mac if request_mac is None else request_mac)
        data = encode_name(made.algorithm) + encode_time(made.time, made.fudge)
        data += struct.pack("!H", len(mac)) + mac
        data += struct.pack("!HHH", made.id, error, len(other)) + other
        record = encode_name(made.key) + struct.pack("!HHIH", TSIG, ANY_CLASS, 0, len(data)) + data
        count = struct.unpack("!H", wire[10:12])[0] + 1
        return wire[:10] + struct.pack("!H", count) + wire[12:] + record

    def refuse_signature(self, message):
        """The answer to a message whose signature is wrong; None where it is right."""
        error = self.verify(message)
        if not error:
            return None
        return self.answer(message, NOTAUTH, error=error, mac=None if error == BADTIME else b"")

    def answer_query(self, message):
        question = message.questions[0]
        found = [record for record in self.records if record.name == question.name
                 and record.type in (question.type, CNAME)]
        return self.refuse_signature(message) or self.answer(message, records=found)

    def answer_update(self, message):
        """What a server does (RFC 2136, 3)."""
        refused = self.refuse_signature(message)
        if refused:
            return refused
        wanted, changes = message.sections[0], message.sections[1]
        for record in wanted:
            there = [one.data for one in self.records
                     if (one.name, one.type) == (record.name, record.type)]
            if there != [record.data]:
                return self.answer(message, NXRRSET)
        for record in changes:
            same = (record.name, record.type)
            if record.klass == IN:
                self.records.append(record)
            else:
                self.records = [one for one in self.records if (one.name, one.type) != same
                                or record.klass == NONE_CLASS and one.data != record.data]
        return self.answer(message)
