// Who may sync: whoever knows the token that all nodes of an example share.
import { bearerTokens } from "grove-crdt";

const token = process.env.SYNC_TOKEN ?? "";

export const headers = () => ({ authorization: `Bearer ${token}` });
export const authenticate = bearerTokens({ [token]: "node" });
