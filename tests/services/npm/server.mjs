// Services of sigstore by other hands than ours: npm's @sigstore/mock, on the loopback address.
//
// The mock answers sigstore-js inside of its process. What is here puts it behind HTTP and makes up for where it
// differs from the services that it stands for. It checks no token and no signature, and every log has one entry.
//
// Writes one line: a client trust configuration for each of INSTANCES, as JSON. Ends when its input does.

import { createHash, generateKeyPairSync, X509Certificate } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";

import * as mock from "@sigstore/mock";
import { HashAlgorithm, TransparencyLogEntry } from "@sigstore/protobuf-specs";
import { CreateEntryRequest, Entry } from "@sigstore/protobuf-specs/rekor/v2";
import { TimeStampReq } from "pkijs";

const HOUR = 3600 * 1000; // milliseconds
const LOG = "https://log.sigstore.mock"; // by this name it signs checkpoints

// Each has keys of its own. `ahead`: how far the clock of its timestamp authority is.
const INSTANCES = { honest: {}, other: {}, late: { ahead: HOUR } };

const newKey = () => generateKeyPairSync("ec", { namedCurve: "prime256v1" });
const wholeSecond = (time) => time - (time % 1000);
const sha256 = (data) => createHash("sha256").update(data).digest();
const base64 = (data) => Buffer.from(data).toString("base64");
const json = (document) => ({ statusCode: 201, contentType: "application/json", response: JSON.stringify(document) });

async function instance({ ahead = 0 }) {
  const certificateLog = await mock.initializeCTLog(newKey());
  const authority = await mock.initializeCA(newKey(), certificateLog);
  const log = await mock.initializeTLog(LOG, newKey());
  const time = new Date();
  const clock = await mock.initializeTSA(newKey(), time);
  const server = createServer(
    answering({
      "/api/v2/signingCert": fulcio(authority),
      "/api/v1/log/entries": rekor(log),
      "/api/v2/log/entries": rekor2(log),
      "/api/v1/timestamp": timestamps(clock, () => time.setTime(wholeSecond(Date.now() + ahead))),
    }),
  );
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${server.address().port}`;
  return trustConfig(url, { certificateLog, authority, log, clock });
}

// Services: (body, headers) => answer.

// npm's clients send what the mock takes: JSON that has the token in it. Others put the token into a header, and
// encode the PEM of their request once more. The mock answers with PEM in one long line, which npm's clients pass on
// to the log; Fulcio's lines have 64 characters.
function fulcio(authority) {
  const { fn } = mock.fulcioHandler(authority);
  return async (body, headers) => {
    const request = JSON.parse(body);
    if (headers.authorization) {
      request.credentials = { oidcIdentityToken: headers.authorization.replace(/^Bearer /, "") };
      request.certificateSigningRequest = Buffer.from(request.certificateSigningRequest, "base64").toString();
    }
    const answer = await fn(JSON.stringify(request));
    const { chain } = JSON.parse(answer.response).signedCertificateEmbeddedSct;
    const certificates = chain.certificates.map((pem) => new X509Certificate(pem).toString());
    return json({ signedCertificateEmbeddedSct: { chain: { certificates } } });
  };
}

// The mock keeps an entry as it was proposed; of an envelope, Rekor keeps digests and signatures only.
function rekor(log) {
  const { fn } = mock.rekorHandler(log);
  return (body) => {
    const proposed = JSON.parse(body);
    const isEnvelope = proposed.kind === "dsse";
    return fn(JSON.stringify(isEnvelope ? { ...proposed, spec: digested(proposed.spec.proposedContent) } : proposed));
  };
}

function digested({ envelope, verifiers }) {
  const { payload, signatures } = JSON.parse(envelope);
  const hash = (data) => ({ algorithm: "sha256", value: sha256(data).toString("hex") });
  return {
    envelopeHash: hash(envelope),
    payloadHash: hash(Buffer.from(payload, "base64")),
    signatures: signatures.map(({ sig }) => ({ signature: sig, verifier: verifiers[0] })),
  };
}

// The mock keeps the request instead of an entry, names a random index in a log of one, takes the hexadecimal
// root hash for base64, and states a time; Rekor v2 states none. Clients want the empty list of hashes, which
// JSON for protocol buffers leaves out.
function rekor2(log) {
  return async (body) => {
    const { kind, ...spec } = logged(CreateEntryRequest.fromJSON(JSON.parse(body)).spec);
    const answer = await log.logV2(Entry.toJSON({ kind, apiVersion: "0.0.2", spec: { spec } }));
    const kindVersion = { kind, version: "0.0.2" };
    const { integratedTime, ...entry } = TransparencyLogEntry.toJSON({ ...answer, kindVersion });
    const rootHash = base64(Buffer.from(entry.inclusionProof.rootHash, "hex"));
    return json({ ...entry, inclusionProof: { ...entry.inclusionProof, rootHash, logIndex: "0", hashes: [] } });
  };
}

// What Rekor v2 keeps of a request (rekor/v2/entry.proto).
function logged({ $case, hashedRekordRequestV002, dsseRequestV002 }) {
  const data = (digest) => ({ algorithm: HashAlgorithm.SHA2_256, digest });
  if ($case === "hashedRekordRequestV002") {
    const { digest, signature } = hashedRekordRequestV002;
    return { kind: "hashedrekord", $case: "hashedRekordV002", hashedRekordV002: { data: data(digest), signature } };
  }
  const { envelope, verifiers } = dsseRequestV002;
  const signatures = envelope.signatures.map(({ sig }) => ({ content: sig, verifier: verifiers[0] }));
  return { kind: "dsse", $case: "dsseV002", dsseV002: { payloadHash: data(sha256(envelope.payload)), signatures } };
}

// npm's clients send JSON, which the mock takes; others send RFC 3161. A nonce is a number there, and too small
// for theirs: it gets lost. Whole seconds, as npm's verifier reads no fractions that end in 0, which DER leaves out.
function timestamps(clock, tick) {
  const { fn } = mock.tsaHandler(clock);
  return (body, headers) => {
    tick();
    if (headers["content-type"] === "application/json") return fn(body);
    const { messageImprint, certReq } = TimeStampReq.fromBER(body);
    const artifactHash = base64(messageImprint.hashedMessage.valueBlock.valueHexView);
    return fn(JSON.stringify({ artifactHash, hashAlgorithm: "sha256", certificates: certReq }));
  };
}

function answering(services) {
  return async (request, response) => {
    try {
      const body = Buffer.concat(await request.toArray());
      const { statusCode, contentType, response: answer } = await services[request.url](body, request.headers);
      response.writeHead(statusCode, { "content-type": contentType ?? "text/plain" }).end(answer);
    } catch (error) {
      console.error(request.url, error);
      response.writeHead(500).end();
    }
  };
}

// What clients are told: github.com/sigstore/protobuf-specs, ClientTrustConfig.

function trustConfig(url, { certificateLog, authority, log, clock }) {
  const validFor = { start: new Date(Date.now() - HOUR).toISOString() };
  const operator = "sigstore.mock";
  const service = (path, majorApiVersion) => [{ url: url + path, majorApiVersion, operator, validFor }];
  const trustedLog = ({ publicKey }) => ({
    baseUrl: LOG,
    hashAlgorithm: "SHA2_256",
    publicKey: { rawBytes: base64(publicKey), keyDetails: "PKIX_ECDSA_P256_SHA_256", validFor },
    logId: { keyId: base64(sha256(publicKey)) },
  });
  const trustedAuthority = (commonName, ...chain) => ({
    subject: { organization: operator, commonName },
    uri: url,
    certChain: { certificates: chain.map((certificate) => ({ rawBytes: base64(certificate) })) },
    validFor,
  });
  return {
    mediaType: "application/vnd.dev.sigstore.clienttrustconfig.v0.1+json",
    trustedRoot: {
      mediaType: "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
      tlogs: [trustedLog(log)],
      ctlogs: [trustedLog(certificateLog)],
      certificateAuthorities: [trustedAuthority("sigstore", authority.rootCertificate)],
      timestampAuthorities: [trustedAuthority("tsa", clock.intCertificate, clock.rootCertificate)],
    },
    signingConfig: {
      mediaType: "application/vnd.dev.sigstore.signingconfig.v0.2+json",
      caUrls: service("", 1),
      oidcUrls: service("", 1),
      // Clients take the newest that they know. Whoever wants the older one leaves the newer one out.
      rekorTlogUrls: [...service("", 1), ...service("", 2)],
      tsaUrls: service("/api/v1/timestamp", 1),
      rekorTlogConfig: { selector: "ANY" },
      tsaConfig: { selector: "ANY" },
    },
  };
}

const configs = {};
for (const [name, options] of Object.entries(INSTANCES)) configs[name] = await instance(options);
console.log(JSON.stringify(configs));
process.stdin.on("end", () => process.exit()).resume();
