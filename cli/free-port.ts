import { createServer } from "node:net";

/** `preferred` if it is free on 127.0.0.1, else one that is. */
export function freePort(preferred = 0): Promise<number> {
  return new Promise((done, failed) => {
    const probe = createServer();
    probe.on("error", (error) => {
      if (preferred === 0) failed(error);
      else freePort().then(done, failed);
    });
    probe.listen({ host: "127.0.0.1", port: preferred }, () => {
      const address = probe.address();
      const port = address !== null && typeof address === "object" ? address.port : 0;
      probe.close(() => done(port));
    });
  });
}
