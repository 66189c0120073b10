// Short digests: 128 bits of SHA-256, and of HMAC-SHA-256 (RFC 2104), as base64url.
import { hmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";

const encoder = new TextEncoder();

const print = (bytes: Uint8Array): string =>
  btoa(String.fromCharCode(...bytes.subarray(0, 16)))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");

/** 22 characters by which a text is told from another one. */
export const digest = (text: string): string => print(sha256(encoder.encode(text)));

/** 22 characters that only who knows the secret can make of a text. */
export const sign = (secret: string, text: string): string =>
  print(hmac(sha256, encoder.encode(secret), encoder.encode(text)));
