import { createServer } from "node:http";
import { text } from "node:stream/consumers";
import { createLogin } from "./login.js";
import { createSessions } from "./session.js";
import { createUser } from "./users.js";

const users = new Map([["anna", createUser("correct horse")]]);
const sessions = createSessions();
const login = createLogin({ users, sessions });

const sessionOf = (request) => /(?:^|; )session=([0-9a-f]+)/.exec(request.headers.cookie ?? "")?.[1];

const server = createServer(async (request, response) => {
  if (request.method === "POST" && request.url === "/login") {
    const form = new URLSearchParams(await text(request));
    const result = login(form.get("name") ?? "", form.get("password") ?? "");
    if (!result.ok) return response.writeHead(401).end(result.reason);
    return response.writeHead(204, { "set-cookie": `session=${result.session}; HttpOnly; SameSite=Strict` }).end();
  }
  if (request.method === "GET" && request.url === "/account") {
    const user = sessions.use(sessionOf(request));
    if (user === null) return response.writeHead(401).end("Please log in.");
    return response.end(`Hello ${user}.`);
  }
  return response.writeHead(404).end();
});

server.listen(process.env.PORT ?? 3000);
