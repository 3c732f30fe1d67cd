import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { InvalidInputError } from "#core/errors.ts";
import { ApprovalToken, approvalTokenFrom, TaskId, taskIdFrom, UNAMBIGUOUS_ALPHABET } from "#core/task-id.ts";

describe("a task id", () => {
  it("is one by its schema, whatever the random bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 8, maxLength: 40 }), (random) => {
        expect(TaskId.safeParse(taskIdFrom(random)).success).toBe(true);
      }),
    );
  });

  it("holds no characters that people confuse", () => {
    expect("0o1li".split("").filter((character) => UNAMBIGUOUS_ALPHABET.includes(character))).toEqual([]);
    expect(new Set(UNAMBIGUOUS_ALPHABET).size).toBe(31);
  });

  it("uses each character alike", () => {
    // A multiplicative generator, so that the test gives the same answer every time.
    let state = 12345n;
    const counts = new Map<string, number>();
    for (let round = 0; round < 5000; round += 1) {
      const random = new Uint8Array(8);
      for (let index = 0; index < 8; index += 1) {
        state = (state * 6364136223846793005n + 1442695040888963407n) % 2n ** 64n;
        random[index] = Number(state >> 56n);
      }
      for (const character of taskIdFrom(random).slice("task-".length))
        counts.set(character, (counts.get(character) ?? 0) + 1);
    }
    // 40,000 characters, 1,290 of each expected; taking bytes modulo 31 would give the first eight 1,406.
    const chiSquared = UNAMBIGUOUS_ALPHABET.split("").reduce(
      (sum, character) => sum + ((counts.get(character) ?? 0) - 40_000 / 31) ** 2 / (40_000 / 31),
      0,
    );
    expect(chiSquared).toBeLessThan(60);
  });

  it("refuses too little randomness", () => {
    expect(() => taskIdFrom(new Uint8Array(7))).toThrow(InvalidInputError);
  });

  it.each(["task-", "task-7k2m9qx", "task-7k2m9qxwa", "task-7k2m9qx0", "TASK-7k2m9qxw", " task-7k2m9qxw"])(
    "is not %j",
    (text) => {
      expect(TaskId.safeParse(text).success).toBe(false);
    },
  );
});

describe("an approval token", () => {
  it("is its prefix and eight characters", () => {
    const token = approvalTokenFrom("dp", new Uint8Array(8).fill(7));
    expect(token).toMatch(/^dp-.{8}$/);
    expect(ApprovalToken.safeParse(token).success).toBe(true);
    expect(ApprovalToken.safeParse("xx-7k2m9qxw").success).toBe(false);
  });
});
