import { randomBytes, scryptSync, timingSafeEqual } from "node:crypto";

const hash = (password, salt) => scryptSync(password, salt, 32);

export function createUser(password) {
  const salt = randomBytes(16);
  return { salt, hash: hash(password, salt) };
}

export function passwordMatches(user, password) {
  return timingSafeEqual(user.hash, hash(password, user.salt));
}
