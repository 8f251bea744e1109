// npm's own client: signs or verifies. Reads one request as JSON, writes a bundle or a verdict, as JSON.

import { text } from "node:stream/consumers";

import { bundleFromJSON, bundleToJSON } from "@sigstore/bundle";
import { SigningConfig, TrustedRoot } from "@sigstore/protobuf-specs";
import { bundleBuilderFromSigningConfig } from "@sigstore/sign";
import { toSignedEntity, toTrustMaterial, Verifier } from "@sigstore/verify";

async function sign({ trustConfig, token, data, type }) {
  const builder = bundleBuilderFromSigningConfig({
    signingConfig: SigningConfig.fromJSON(trustConfig.signingConfig),
    identityProvider: { getToken: async () => token },
    bundleType: type ? "dsseEnvelope" : "messageSignature",
  });
  return bundleToJSON(await builder.create({ data: Buffer.from(data, "base64"), type }));
}

// "verified", or the code of what is wrong.
function verify({ trustConfig, bundle, data, identity, issuer }) {
  const verifier = new Verifier(toTrustMaterial(TrustedRoot.fromJSON(trustConfig.trustedRoot)));
  const entity = toSignedEntity(bundleFromJSON(bundle), Buffer.from(data, "base64"));
  try {
    verifier.verify(entity, { subjectAlternativeName: identity, extensions: { issuer } });
    return "verified";
  } catch (error) {
    if (!error.code) throw error;
    return error.code;
  }
}

const { action, ...request } = JSON.parse(await text(process.stdin));
console.log(JSON.stringify(await { sign, verify }[action](request)));
