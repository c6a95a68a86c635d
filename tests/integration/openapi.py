#!/usr/bin/env -S python3 -B
"""openapi.json, and what a daemon really answers, against each other.

openapi.py SOURCE_DIR BILLINGD: check the document by the rules of OpenAPI 3.1 and JSON Schema 2020-12
as far as they can be checked without the network; start a daemon; call every operation with success,
and every one with some refusal; hold each answer against the document.  In the schemas of answers
nothing that is not described is let through here, although clients are to pass over it.
"""

import copy
import csv
import http.client
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading

try:
    import jsonschema
except ImportError:
    print("no python3-jsonschema: scripts/install-deps --test installs it")
    sys.exit(77)

METHODS = ("get", "put", "post", "delete", "patch")
READY_S = 120


def need(condition, *what):
    if not condition:
        raise AssertionError(" ".join(str(part) for part in what))


# --- the document -------------------------------------------------------------------------------

# What may stand in each kind of object; of those that are used here.
KEYS = {
    "document": "openapi info servers tags paths components",
    "info": "title version description",
    "path": "get put post delete patch",
    "operation": "operationId tags summary description x-call parameters requestBody responses",
    "parameter": "name in required description schema",
    "body": "required content description",
    "media": "schema example",
    "response": "description headers content",
    "header": "description schema required",
    "reference": "$ref description",
    "components": "schemas responses headers parameters",
}


class Document:
    def __init__(self, text):
        self.root = json.loads(text)
        self.used = set()
        strict = copy.deepcopy(self.root["components"])
        for schema in strict["schemas"].values():
            schema.setdefault("additionalProperties", False)
        self.strict = strict

    def follow(self, thing):
        while "$ref" in thing:
            need(set(thing) <= set(KEYS["reference"].split()), thing)
            at = self.root
            for part in thing["$ref"].removeprefix("#/").split("/"):
                at = at[part]
            self.used.add(thing["$ref"])
            thing = at
        return thing

    def object(self, kind, thing):
        """THING, or what it refers to, with only keys of its KIND."""
        thing = self.follow(thing)
        need(set(thing) <= set(KEYS[kind].split()), kind, set(thing))
        return thing

    def schema(self, schema):
        jsonschema.Draft202012Validator.check_schema(schema)
        for found in re.findall(r'"\$ref": "([^"]+)"', json.dumps(schema)):
            self.follow({"$ref": found})

    def validate(self, schema, value, strict=True):
        whole = {"allOf": [schema], "components": self.strict if strict else
                 self.root["components"]}
        jsonschema.Draft202012Validator(whole).validate(value)

    def operations(self):
        for path, item in self.root["paths"].items():
            for method in METHODS:
                if method in item:
                    yield method, path, item[method]

    def find(self, method, target):
        """The path and operation of a request; what has fewer parameters first."""
        path = target.partition("?")[0]
        fitting = [template for template in self.root["paths"] if
                   re.fullmatch(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(template)), path)]
        for template in sorted(fitting, key=lambda template: template.count("{")):
            if method.lower() in self.root["paths"][template]:
                return template, self.root["paths"][template][method.lower()]
        return None, None


def check_headers(doc, headers):
    for header in headers.values():
        header = doc.object("header", header)
        doc.schema(header["schema"])


def check_content(doc, content):
    for media in content.values():
        media = doc.object("media", media)
        doc.schema(media["schema"])
        if "example" in media:
            doc.validate(media["schema"], media["example"], strict=False)


def check_operation(doc, path, operation):
    parameters = [doc.object("parameter", p) for p in operation["parameters"]]
    names = [(p["in"], p["name"]) for p in parameters]
    need(len(names) == len(set(names)), path, "has a parameter twice")
    in_path = {p["name"] for p in parameters if p["in"] == "path" and p["required"]}
    need(in_path == set(re.findall(r"\{(\w+)\}", path)), path, "has other parameters")
    need(all(p["in"] in ("path", "query", "header") for p in parameters))
    for parameter in parameters:
        doc.schema(parameter["schema"])
    if "requestBody" in operation:
        check_content(doc, doc.object("body", operation["requestBody"])["content"])
    need(any(status.startswith("2") for status in operation["responses"]))
    for status, response in operation["responses"].items():
        need(re.fullmatch("[1-5][0-9][0-9]|default", status), status)
        response = doc.object("response", response)
        need(response["description"], path, status)
        check_headers(doc, response["headers"])
        check_content(doc, response.get("content", {}))


def check_document(doc):
    root = doc.object("document", doc.root)
    need(re.fullmatch(r"3\.1\.\d+", root["openapi"]))
    doc.object("info", root["info"])
    idents = [operation["operationId"] for _, _, operation in doc.operations()]
    need(len(idents) == len(set(idents)), "an operationId stands twice")
    tags = [tag["name"] for tag in root["tags"]]
    need(len(tags) == len(set(tags)))
    for path, item in root["paths"].items():
        need(path.startswith("/"), path)
        doc.object("path", item)
    for _, path, operation in doc.operations():
        doc.object("operation", operation)
        need(set(operation["tags"]) <= set(tags), path)
        check_operation(doc, path, operation)
    doc.object("components", root["components"])
    for schema in root["components"]["schemas"].values():
        doc.schema(schema)
    for kind, things in root["components"].items():
        for name in things:
            need(f"#/components/{kind}/{name}" in doc.used, name, "is used nowhere")


# --- a daemon -----------------------------------------------------------------------------------


class Daemon:
    def __init__(self, program):
        self.dir = tempfile.mkdtemp(prefix="billing-openapi-")
        self.process = subprocess.Popen(
            [program, "--data-dir", f"{self.dir}/data", "--listen", f"unix:{self.dir}/socket",
             "--http", "127.0.0.1:0"], stderr=subprocess.PIPE, text=True)
        signal.alarm(READY_S)  # one that never gets ready ends this test
        self.address = None
        for line in self.process.stderr:
            found = re.search(r"door=http address=\"?([\d.]+:\d+)", line)
            self.address = found[1] if found else self.address
            if re.search(r'msg="?ready"?( |$)', line):
                break
        signal.alarm(0)
        need(self.address, "the daemon did not start")
        self.drain = threading.Thread(target=self.process.stderr.read)
        self.drain.start()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.drain.join()
        status = self.process.wait()
        shutil.rmtree(self.dir)
        return status


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.bytes = response.read()
        self.media = (response.headers["Content-Type"] or "").partition(";")[0]

    def json(self):
        return json.loads(self.bytes)


class Client:
    """Calls operations, and holds every answer against the document."""

    def __init__(self, doc, address):
        self.doc = doc
        self.conn = http.client.HTTPConnection(address, timeout=120)
        self.seen = set()  # (operationId, status)

    def send(self, method, target, body=None, headers=None):
        headers = dict(headers or {})
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        if body is not None:
            headers.setdefault("Content-Type", "application/json")
        self.conn.request(method, target, body, headers)
        return Answer(self.conn.getresponse())

    def check(self, operation, answer):
        responses = operation["responses"]
        response = self.doc.follow(responses.get(str(answer.status), responses["default"]))
        for name, header in response["headers"].items():
            if name in answer.headers:
                schema = self.doc.follow(header)["schema"]
                value = answer.headers[name]
                self.doc.validate(schema, int(value) if schema["type"] == "integer" else value)
        need(answer.headers["X-Request-Id"], "no X-Request-Id")
        content = response.get("content", {})
        if not content:
            need(answer.bytes == b"" and not answer.media, "a body that is not described")
            return
        need(answer.media in content, answer.media, "is not described")
        if answer.media.endswith("json"):
            self.doc.validate(content[answer.media]["schema"], answer.json())
        elif answer.media == "text/csv":
            check_csv(answer)

    def call(self, status, method, target, body=None, headers=None, well=True):
        """Send it, and check the answer and that its status is STATUS.  WELL: the body is as the
        document wants it, else it must not be."""
        path, operation = self.doc.find(method, target)
        need(operation, method, target, "is not described")
        answer = self.send(method, target, body, headers)
        try:
            need(answer.status == status, "expected", status)
            need(status // 100 == 2 or str(status) in operation["responses"] or status == 405)
            self.check(operation, answer)
            self.check_request(operation, target, body, well, status)
        except Exception as error:
            raise AssertionError(f"{method} {target} {body}: {answer.status} "
                                 f"{dict(answer.headers)} {answer.bytes[:2000]}: {error}") from error
        self.seen.add((operation["operationId"], status))
        return answer

    def check_request(self, operation, target, body, well, status):
        if status == 400:
            return
        known = {p["name"] for p in map(self.doc.follow, operation["parameters"])
                 if p["in"] == "query"}
        query = [pair.partition("=")[0] for pair in target.partition("?")[2].split("&") if pair]
        need(set(query) <= known, query, "are not described")
        if body is None or isinstance(body, bytes):
            return
        schema = operation["requestBody"]["content"]["application/json"]["schema"]
        try:
            self.doc.validate(schema, body, strict=False)
        except jsonschema.ValidationError as error:
            need(not well, error)
            return
        need(well, "by the document the body is in order")


def check_csv(answer):
    need(answer.headers["Content-Type"] == "text/csv; charset=utf-8; header=present")
    need(answer.headers["Vary"] == "Accept")
    text = answer.bytes.decode()
    need(text.endswith("\r\n") and "\n" not in text.replace("\r\n", ""), "ends of line")
    rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    need(len({len(row) for row in rows}) == 1, "rows of other lengths")
    need(len(rows[0]) == len(set(rows[0])), "a column stands twice")


# --- what is asked ------------------------------------------------------------------------------

CSV = {"Accept": "text/csv"}
API = "/api/v1"
JANUARY = "start=2026-01-01T00:00:00Z&end=2026-02-01T00:00:00Z"


def usage(day, service="Database Hosting", **more):
    return {"service": service, "units_consumed": 58, "price_per_unit": "0.05",
            "occurred_at": f"2026-01-{day:02}T12:00:00Z"} | more


def customers(client):
    key = {"Idempotency-Key": '"make-acme"'}
    body = {"customer_name": "Acme, \"the\" =first", "external_id": "acme/1"}
    made = client.call(201, "POST", f"{API}/customers", body, key)
    again = client.call(201, "POST", f"{API}/customers", body, key)
    need(again.headers["Idempotent-Replayed"] == "true" and again.bytes == made.bytes)
    ident = made.json()["customer"]["id"]
    other = client.call(201, "POST", f"{API}/customers", {"customer_name": "=1+1"}).json()
    client.call(200, "GET", made.headers["Location"])
    client.call(200, "GET", f"{API}/customers?limit=1")
    client.call(200, "GET", f"{API}/customers?external_id=acme%2F1")
    client.call(200, "PATCH", f"{API}/customers/{ident}", {"customer_name": "Acme"})
    client.call(200, "GET", f"{API}/requests/make-acme")
    client.call(404, "GET", f"{API}/requests/never")
    client.call(409, "POST", f"{API}/customers", body)
    client.call(422, "POST", f"{API}/customers", {"name": "x"}, well=False)
    client.call(422, "POST", f"{API}/customers", {"customer_name": "y"}, key)  # reused
    client.call(400, "POST", f"{API}/customers", b"{")
    client.call(415, "POST", f"{API}/customers", b"x", {"Content-Type": "text/plain"})
    return f"{API}/customers/{ident}", f"{API}/customers/{other['customer']['id']}"


def catalogue(client):
    path = f"{API}/services/Database%20Hosting"
    client.call(200, "PUT", path, {"unit": "hour"})
    client.call(200, "PUT", path)
    client.call(200, "PUT", f"{API}/services/a%2Fb", {"unit": "GiB"})
    client.call(200, "GET", f"{API}/services/a%2Fb")
    client.call(200, "GET", f"{API}/services?limit=1")
    client.call(204, "DELETE", path)
    client.call(404, "GET", path)
    client.call(422, "PUT", path, {"unit": 5}, well=False)
    client.call(415, "PUT", path, b"x", {"Content-Type": "text/plain"})


def records(client, customer):
    """Usage, voids and adjustments."""
    made = client.call(201, "POST", f"{customer}/usage", usage(1, labels={"region": "eu"}))
    where = made.headers["Location"]
    client.call(200, "GET", where)
    for day in (2, 3):
        client.call(201, "POST", f"{customer}/usage", usage(day, f"service {day}"))
    client.call(200, "GET", f"{customer}/usage?limit=2&{JANUARY}&by=billed")
    ident = customer.rpartition("/")[2]
    items = [usage(4, customer_id=ident, request_id="b-1"), usage(5, customer_id="nobody",
                                                                 request_id="b-2")]
    client.call(200, "POST", f"{API}/usage/batch", {"usage": items})
    client.call(200, "POST", f"{API}/usage/batch", {"usage": items})
    lines = "\n".join(map(json.dumps, items)) + "\nno JSON\n"
    client.call(200, "POST", f"{API}/usage/batch", lines.encode(),
                {"Content-Type": "application/x-ndjson", "Idempotency-Key": "lines"})
    client.call(422, "POST", f"{API}/usage/batch", {"usage": []}, well=False)
    client.call(404, "GET", f"{where}/void")
    voided = client.call(201, "POST", f"{where}/void", {"reason": "twice", "request_id": "v"})
    need(voided.headers["Location"] == f"{where}/void")
    again = client.call(201, "POST", f"{where}/void", {"reason": "twice", "request_id": "v"})
    need(again.headers["Idempotent-Replayed"] == "true" and again.bytes == voided.bytes)
    client.call(200, "GET", f"{where}/void")
    client.call(200, "GET", where)
    client.call(409, "POST", f"{where}/void", {"reason": "again"})
    client.call(422, "POST", f"{where}/void", {}, well=False)
    client.call(404, "POST", f"{customer}/usage/use_zzzzzzzzzzzzzzzz/void", {"reason": "x"})
    client.call(404, "GET", f"{customer}/usage/use_zzzzzzzzzzzzzzzz")
    adjustment = {"amount": -2.505, "reason": "=good, \"will\"",
                  "occurred_at": "2026-01-06T00:00:00Z"}
    client.call(201, "POST", f"{customer}/adjustments", adjustment)
    client.call(201, "POST", f"{customer}/adjustments",
                {"amount": "1e-7", "reason": "setup", "service": "x"})
    client.call(422, "POST", f"{customer}/adjustments", {"amount": True, "reason": ""}, well=False)
    client.call(200, "GET", f"{customer}/adjustments?limit=1")
    client.call(422, "POST", f"{customer}/usage", {"service": ""}, well=False)
    client.call(200, "GET", f"{customer}/requests/b-1")
    client.call(404, "GET", f"{customer}/requests/never")


def whole_csv(client, target, follow):
    """The rows of all pages, by the links between them."""
    rows = []
    while True:
        answer = client.call(200, "GET", target, headers=CSV)
        page = list(csv.DictReader(io.StringIO(answer.bytes.decode(), newline="")))
        rows += page
        link = answer.headers["Link"]
        if link is None:
            return rows
        need(follow, "a page too many")
        target = target.partition("?")[0] + re.fullmatch(r'<([^>]*)>; rel="next"', link)[1]


def check_bill_csv(client, target, member):
    """That CSV has what JSON has, in pages as whole."""
    bill = json.loads(client.call(200, "GET", target).bytes, parse_float=str, parse_int=str)[member]
    rows = whole_csv(client, target, False)
    mark = "&" if "?" in target else "?"
    pages = whole_csv(client, f"{target}{mark}limit=1", True)
    need(rows == pages, "pages are not the whole:", rows, pages)
    kinds = ["line"] * len(bill["lines"]) + ["adjustment"] * len(bill["adjustments"]) + ["total"]
    need([row["kind"] for row in rows] == kinds, rows)
    for row, item in zip(rows, bill["lines"] + bill["adjustments"]):
        for name, value in item.items():
            protected = name in ("service", "reason") and value[0] in "=+-@"
            need(row[name] == ("'" + value if protected else value), name, row, item)
    need(rows[-1]["exact_amount"] == bill["exact_total"], rows[-1])
    need(rows[-1]["amount"] == bill["total"], rows[-1])
    need(all(row["customer_id"] == bill["customer_id"] for row in rows))


def bills(client, customer):
    check_bill_csv(client, f"{customer}/bill?{JANUARY}", "bill")
    check_bill_csv(client, f"{customer}/bill", "bill")
    for target in (f"{customer}/bill/records?{JANUARY}", f"{API}/bills", f"{API}/bills?{JANUARY}"):
        client.call(200, "GET", target)
        mark = "&" if "?" in target else "?"
        rows = whole_csv(client, target, False)
        need(rows == whole_csv(client, f"{target}{mark}limit=1", True), target)
        need(rows, target)
    for window in ("hour", "day", "month"):
        for by in ("occurred", "billed"):
            client.call(200, "GET", f"{customer}/usage/summary?{JANUARY}&window={window}&by={by}"
                                    "&limit=1000")
    client.call(200, "GET", f"{customer}/usage/summary?{JANUARY}&group_by=service"
                            "&include_empty=true&limit=3")


def invoices(client, customer, other):
    client.call(422, "POST", f"{customer}/invoices", {}, well=False)
    client.call(422, "POST", f"{customer}/invoices", {"end": "2999-01-01T00:00:00Z"})
    client.call(422, "POST", f"{customer}/invoices",
                {"start": "2026-01-15T00:00:00Z", "end": "2026-02-01T00:00:00Z"})
    body = {"end": "2026-02-01T00:00:00Z", "request_id": "january"}
    made = client.call(201, "POST", f"{customer}/invoices", body)
    again = client.call(201, "POST", f"{customer}/invoices", body)
    need(again.headers["Idempotent-Replayed"] == "true" and again.bytes == made.bytes)
    client.call(409, "POST", f"{customer}/invoices", {"end": "2026-02-01T00:00:00Z"})
    where = made.headers["Location"]
    need(where == f"{API}/invoices/{made.json()['invoice']['number']}", where)
    late = client.call(201, "POST", f"{customer}/usage", usage(9)).json()
    need(late["usage"]["late"])
    check_bill_csv(client, where, "invoice")
    check_bill_csv(client, f"{customer}/bill", "bill")
    verified = client.call(200, "GET", f"{where}/verification").json()
    need(verified["verification"]["verified"], verified)
    client.call(201, "POST", f"{other}/invoices", body)
    for target in (f"{API}/invoices", f"{customer}/invoices"):
        client.call(200, "GET", f"{target}?limit=1")
        need(whole_csv(client, target, False) == whole_csv(client, f"{target}?limit=1", True))
    for path in ("0", "999999", "x", "18446744073709551616"):
        client.call(404, "GET", f"{API}/invoices/{path}", headers=CSV)
        client.call(404, "GET", f"{API}/invoices/{path}/verification")


def itself(client, text):
    client.call(200, "GET", f"{API}/server")
    client.call(200, "GET", "/healthz")
    client.call(200, "GET", "/readyz")
    metrics = client.call(200, "GET", "/metrics")
    need(metrics.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8")
    served = client.call(200, "GET", "/openapi.json")
    need(served.bytes == text.encode(), "another document is served")


def example(path):
    """PATH with something in it that is nobody's."""
    return re.sub(r"\{(\w+)\}", lambda m: "999999" if m[1] == "number" else "nobody", path)


def refusals(client, doc):
    """Of every operation: queries that it does not know, customers that nobody is, and methods that
    its path has not."""
    for method, path, operation in doc.operations():
        target = example(path)
        body = (operation.get("requestBody") or {}).get("content", {}).get("application/json", {})
        body = body.get("example")
        if "x-call" in operation:
            client.call(400, method.upper(), f"{target}?colour=red", body)
        if "404" in operation["responses"]:
            client.call(404, method.upper(), target, body)
        if body is not None:
            client.call(415, method.upper(), target, b"x", {"Content-Type": "text/plain"})
            client.call(400, method.upper(), target, b"{", {"Content-Type": "application/json"})
    for path, item in doc.root["paths"].items():
        allowed = {method.upper() for method in item}
        allowed |= {"OPTIONS"} | ({"HEAD"} if "GET" in allowed else set())
        for method in ("GET", "PUT", "POST", "DELETE", "PATCH", "OPTIONS", "HEAD"):
            if method in allowed and method != "OPTIONS":
                continue
            answer = client.send(method, example(path))
            need(answer.status == (204 if method == "OPTIONS" else 405), method, path)
            need(set(answer.headers["Allow"].split(", ")) == allowed, path, answer.headers["Allow"])
            if method not in ("OPTIONS", "HEAD"):
                client.check(next(iter(item.values())), answer)


def too_large(client):
    client.conn.putrequest("POST", f"{API}/customers")
    client.conn.putheader("Content-Type", "application/json")
    client.conn.putheader("Content-Length", "17000000")
    client.conn.endheaders()
    answer = Answer(client.conn.getresponse())
    need(answer.status == 413)
    client.check(client.doc.find("POST", f"{API}/customers")[1], answer)


def ask_everything(doc, address, text):
    client = Client(doc, address)
    customer, other = customers(client)
    catalogue(client)
    records(client, customer)
    client.call(201, "POST", f"{other}/usage", usage(1))
    bills(client, customer)
    invoices(client, customer, other)
    itself(client, text)
    refusals(client, doc)
    too_large(client)
    for method, path, operation in doc.operations():
        for status in operation["responses"]:
            if status[0] == "2" or status == "404":
                need((operation["operationId"], int(status)) in client.seen, method, path, status,
                     "was not seen")
    return len(client.seen)


def main():
    source, program = sys.argv[1:]
    with open(os.path.join(source, "openapi.json"), encoding="utf-8") as file:
        text = file.read()
    doc = Document(text)
    check_document(doc)
    daemon = Daemon(program)
    try:
        seen = ask_everything(doc, daemon.address, text)
    finally:
        status = daemon.stop()
    need(status == 0, "the daemon ended with", status)
    print(f"{len(list(doc.operations()))} operations, {seen} of their answers as described")


if __name__ == "__main__":
    main()
