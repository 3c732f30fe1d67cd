import { call, ClaimCodeAnswer, TokenAnswer } from "./api.ts";
import { adminEndpoint, type Whereabouts } from "./endpoint.ts";
import { plainLine } from "./render.ts";

/** `codespar token ACCOUNT`: the token alone goes to standard output. */
export async function createToken(account: string, where: Whereabouts): Promise<number> {
  const admin = adminEndpoint(where);
  const { token } = await call(TokenAnswer, admin, "POST", "/api/tokens", { account, name: account });
  console.log(plainLine(token));
  console.error(`A terminal token for ${account}. It is shown only now: codespar chat --url ${admin.url} --token …`);
  return 0;
}

/** `codespar claim-code`: the code alone goes to standard output. */
export async function createClaimCode(where: Whereabouts): Promise<number> {
  const { code, expiresAt } = await call(ClaimCodeAnswer, adminEndpoint(where), "POST", "/api/claim-codes", {});
  console.log(plainLine(code));
  console.error(`Good once, until ${plainLine(expiresAt)}. In the chat, write: claim ${plainLine(code)}`);
  return 0;
}
