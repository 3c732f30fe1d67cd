import { expect, test } from "vitest";
import { firstScreen } from "#cli/first-screen.ts";
import type { ReadyInstance } from "#cli/instance.ts";

const screen = (changes: Partial<ReadyInstance>) =>
  firstScreen(
    {
      url: "http://127.0.0.1:1",
      githubUrl: "http://127.0.0.1:2",
      emulated: false,
      model: false,
      repository: "acme/shop",
      project: "shop",
      account: "anna",
      conversation: "shop",
      ...changes,
    },
    "/state",
    false,
    { colour: false },
  );

test("shows the emulated GitHub and its pages", () => {
  const text = screen({ emulated: true });
  expect(text).toContain("GitHub         emulated on this machine, http://127.0.0.1:2\n");
  expect(text).toContain("Pull requests  http://127.0.0.1:2/acme/shop/pulls\n");
});

test("shows the real GitHub", () => {
  const text = screen({ githubUrl: "https://api.github.com" });
  expect(text).toContain("GitHub         the real one\n");
  expect(text).toContain("Its page       https://github.com/acme/shop\n");
});

test.each([
  ["https://github.acme.com/api/v3", "https://github.acme.com"],
  ["https://api.acme.ghe.com", "https://acme.ghe.com"],
  ["http://127.0.0.1:9999", "http://127.0.0.1:9999"],
])("shows another GitHub, %s, as what it is", (githubUrl, pages) => {
  const text = screen({ githubUrl });
  expect(text).toContain(`GitHub         ${githubUrl} (from GITHUB_API_URL)\n`);
  expect(text).toContain(`Its page       ${pages}/acme/shop\n`);
  expect(text).toContain(`Pull requests  ${pages}/acme/shop/pulls\n`);
  expect(text).not.toContain("https://github.com");
});
