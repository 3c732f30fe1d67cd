import { afterEach, describe, expect, it, vi } from "vitest";
import type { Role } from "#core/permissions.ts";
import {
  eventually,
  inside,
  keptFor,
  newRepository,
  newWorld,
  type Person,
  unique,
  type World,
} from "../worker/world.ts";

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const roleOf = async (world: World, person: Person): Promise<Role> => (await world.standing(person)).role;
const newcomer = (conversation = "main"): Person => ({ account: unique("bo"), name: "Bo", conversation });
const claim = (world: World, person: Person, code: string) =>
  world.ask(person, `claim ${code}`, { to: world.coordinator });

describe("a claim code", () => {
  it("makes whoever writes it an owner, once", async () => {
    const world = await newWorld({ onGitHub: false });
    const [bo, eve] = [newcomer(), newcomer()];
    const { code } = await world.coordinator.createClaimCode();
    expect(await claim(world, bo, code)).toMatchObject({ ok: true });
    expect(await roleOf(world, bo)).toBe("owner");
    expect(await claim(world, eve, code)).toMatchObject({ ok: false, words: expect.stringContaining("used already") });
    expect(await roleOf(world, eve)).toBe("read-only");
  });

  it("makes only one of two who write it at once an owner", async () => {
    const world = await newWorld({ onGitHub: false });
    const people = Array.from({ length: 5 }, () => newcomer());
    const { code } = await world.coordinator.createClaimCode();
    const replies = await Promise.all(people.map((person) => claim(world, person, code)));
    expect(replies.filter(({ ok }) => ok)).toHaveLength(1);
  });

  it("is good for an hour, and no longer", async () => {
    const world = await newWorld({ onGitHub: false });
    const [bo, eve] = [newcomer(), newcomer()];
    const now = Date.now();
    vi.useFakeTimers({ toFake: ["Date"], now });
    const [first, second] = [await world.coordinator.createClaimCode(), await world.coordinator.createClaimCode()];
    expect(first.expiresAt).toBe(new Date(now + 3_600_000).toISOString());
    vi.setSystemTime(now + 3_599_999);
    expect(await claim(world, bo, first.code)).toMatchObject({ ok: true });
    vi.setSystemTime(now + 3_600_000);
    expect(await claim(world, eve, second.code)).toMatchObject({
      ok: false,
      words: expect.stringContaining("expired"),
    });
    expect(await roleOf(world, eve)).toBe("read-only");
  });

  it("that is wrong, or another organisation's, is refused", async () => {
    const [world, other] = [await newWorld({ onGitHub: false }), await newWorld({ onGitHub: false })];
    const bo = newcomer();
    const { code } = await other.coordinator.createClaimCode();
    expect(await claim(world, bo, "7k2m9qxw4h")).toMatchObject({
      ok: false,
      words: expect.stringContaining("not one of"),
    });
    expect(await claim(world, bo, code)).toMatchObject({ ok: false });
    expect(await roleOf(world, bo)).toBe("read-only");
  });

  it("never enters the audit, neither where it is used nor where it is asked for", async () => {
    const world = await newWorld({ onGitHub: false });
    const bo = await world.link(newcomer());
    const { code } = await world.coordinator.createClaimCode();
    await world.ask(bo, `claim ${code}`);
    const trail = JSON.stringify([await world.entries(), await world.organisationEntries()]);
    expect(trail).not.toContain(code);
    expect(trail).toContain('"subject":"claim"');
  });

  it("counts from then on, also for what an agent had just learnt", async () => {
    const world = await newWorld({ onGitHub: false });
    const bo = await world.link(newcomer());
    await world.ask(bo, "whoami");
    const { code } = await world.coordinator.createClaimCode();
    await world.ask(bo, `claim ${code}`);
    expect((await world.ask(bo, "register Bo the Great")).ok).toBe(true);
    expect((await world.ask(bo, "whoami")).words).toContain("You: Bo the Great");
  });
});

describe("roles", () => {
  it("begin as read-only for someone never seen before", async () => {
    const world = await newWorld({ onGitHub: false });
    expect(await roleOf(world, newcomer())).toBe("read-only");
  });

  it("are given by an owner, take effect before they are confirmed, and every conversation of the project is told", async () => {
    const world = await newWorld();
    const bo = await world.link(newcomer());
    expect((await world.ask(bo, "fix the login")).ok).toBe(false);
    expect((await world.ask(world.anna, `role ${bo.account} operator`)).ok).toBe(true);
    expect(await roleOf(world, bo)).toBe("operator");
    await eventually(async () => {
      const announced = (await keptFor(bo)).filter(({ kind }) => kind === "announcement");
      expect(JSON.stringify(announced)).toContain("is now operator");
    });
    expect((await world.ask(bo, "fix the login")).ok).toBe(true);
    await world.ask(world.anna, `role ${bo.account} read-only`);
    expect((await world.ask(bo, "fix the logout")).ok).toBe(false);
  });

  it("hold in the project they were given in, and not in another one", async () => {
    const world = await newWorld();
    const bo = await world.link(newcomer());
    await world.ask(world.anna, `role ${bo.account} maintainer`);
    const other = (await newRepository()).split("/")[1] ?? "";
    const elsewhere = { ...bo, conversation: "elsewhere" };
    await world.coordinator.setup({
      ...elsewhere,
      project: { name: other, repository: { owner: "acme", name: other } },
    });
    expect([await roleOf(world, bo), await roleOf(world, elsewhere)]).toEqual(["maintainer", "read-only"]);
  });

  it.for(["maintainer", "operator", "reviewer", "read-only", "emergency_admin"] as const)(
    "cannot be given by someone who is %s",
    async (role) => {
      const world = await newWorld({ onGitHub: false });
      const person = await world.person(role);
      expect((await world.ask(person, `role ${person.account} owner`)).ok).toBe(false);
      expect((await world.ask(person, `role ${world.anna.account} read-only`)).ok).toBe(false);
      expect([await roleOf(world, person), await roleOf(world, world.anna)]).toEqual([role, "owner"]);
    },
  );

  it("cannot be raised by whoever holds them, in any spelling of the name", async () => {
    const world = await newWorld({ onGitHub: false });
    const bo = await world.person("owner");
    // An owner of the organisation who is less here.
    await world.give(bo, "maintainer", world.name);
    const { identity } = await world.standing(bo);
    for (const name of [bo.account, `@${bo.account}`, identity, `<@${bo.account}>`]) {
      expect((await world.ask(bo, `role ${name} owner`)).ok).toBe(false);
    }
    expect(await roleOf(world, bo)).toBe("maintainer");
  });

  it("leave a project its last owner", async () => {
    const world = await newWorld({ onGitHub: false });
    const { ok, words } = await world.ask(world.anna, `role ${world.anna.account} maintainer`);
    expect([ok, words]).toEqual([false, expect.stringContaining("only owner")]);
    const bo = await world.person("operator");
    await world.ask(world.anna, `role ${bo.account} owner`);
    expect((await world.ask(world.anna, `role ${world.anna.account} maintainer`)).ok).toBe(true);
    expect((await world.ask(bo, `role ${bo.account} maintainer`)).ok).toBe(false);
  });

  it("leave a project its last owner also where hundreds of people were seen before", async () => {
    const world = await newWorld({ onGitHub: false });
    const early = await world.person("owner");
    await inside(world.coordinator, (_, state) => {
      // As if the owners had come last.
      state.storage.sql.exec("update identities set created_at = 9000000000000");
      for (let index = 0; index < 600; index += 1)
        state.storage.sql.exec("insert into identities values (?, ?, ?)", `person-${index}`, `P${index}`, index);
    });
    expect((await world.ask(world.anna, `role ${early.account} operator`)).ok).toBe(true);
    expect((await world.ask(world.anna, `role ${world.anna.account} operator`)).words).toContain("only owner");
  });

  it("ask which one is meant when two have the same name, and list both", async () => {
    const world = await newWorld({ onGitHub: false });
    const [one, two] = [await world.link(newcomer()), await world.link(newcomer())];
    const { ok, words } = await world.ask(world.anna, "role Bo operator");
    expect([ok, words]).toEqual([false, expect.stringContaining("could be")]);
    const listed = (await world.ask(world.anna, "permissions")).words;
    expect(listed).toContain(one.account);
    expect(listed).toContain(two.account);
  });
});

describe("names", () => {
  it("give no rights and link no accounts", async () => {
    const world = await newWorld({ onGitHub: false });
    const bo = await world.person("reviewer");
    expect((await world.ask(bo, "register Anna")).ok).toBe(true);
    expect((await world.ask(bo, "fix the login")).ok).toBe(false);
    const [anna, alias] = [await world.standing(world.anna), await world.standing(bo)];
    expect([alias.name, alias.role]).toEqual(["Anna", "reviewer"]);
    expect(alias.identity).not.toBe(anna.identity);
  });

  it("are not chosen by those who may only read", async () => {
    const world = await newWorld({ onGitHub: false });
    const bo = await world.link(newcomer());
    expect((await world.ask(bo, "register Anna")).ok).toBe(false);
    expect((await world.standing(bo)).name).toBe("Bo");
  });

  it("belong to accounts: two accounts are two identities, one account in two conversations is one", async () => {
    const world = await newWorld({ onGitHub: false });
    const bo = newcomer();
    const [first, second, other] = [
      await world.standing(bo),
      await world.standing({ ...bo, conversation: "elsewhere" }),
      await world.standing(newcomer()),
    ];
    expect(second.identity).toBe(first.identity);
    expect(other.identity).not.toBe(first.identity);
  });

  it("are kept apart between organisations", async () => {
    const [world, other] = [await newWorld({ onGitHub: false }), await newWorld({ onGitHub: false })];
    expect(await roleOf(other, world.anna)).toBe("read-only");
    expect((await other.standing(world.anna)).project).toBeNull();
  });
});
