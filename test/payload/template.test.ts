import assert from "node:assert/strict";
import { renderTemplate, templateNames } from "../../infra/userdata/template";

describe("payload: templates", () => {
  it("puts values in their places", () => {
    assert.equal(renderTemplate("f", "a {{x}} {{y}}\n", { x: 1, y: "two" }), "a 1 two\n");
  });

  it("repeats a line for each item of a list, and drops it for none", () => {
    const template = "before\nserver {{hosts.name}} at {{hosts.port}} of {{all}}\nafter";
    const hosts = [
      { name: "a", port: 1 },
      { name: "b", port: 2 },
    ];
    assert.equal(
      renderTemplate("f", template, { hosts, all: 2 }),
      "before\nserver a at 1 of 2\nserver b at 2 of 2\nafter",
    );
    assert.equal(renderTemplate("f", template, { hosts: [], all: 0 }), "before\nafter");
  });

  for (const { what, template, values, error } of [
    {
      what: "a value that is missing",
      template: "a\n{{x}}",
      values: {},
      error: /^Error: f:2: no value for \{\{x\}\}$/,
    },
    { what: "a list in a value's place", template: "{{x}}", values: { x: [] }, error: /no value/ },
    {
      what: "a value in a list's place",
      template: "{{x.y}}",
      values: { x: "1" },
      error: /expected x to be a list/,
    },
    {
      what: "a field that is missing",
      template: "{{x.y}}",
      values: { x: [{ z: 1 }] },
      error: /no value for \{\{x\.y\}\}/,
    },
    {
      what: "two lists on a line",
      template: "{{x.y}}{{z.y}}",
      values: { x: [{ y: 1 }], z: [{ y: 1 }] },
      error: /no value/,
    },
    {
      what: "a value with a line break",
      template: "{{x}}",
      values: { x: "a\nb" },
      error: /more than one line/,
    },
  ]) {
    it(`refuses ${what}`, () => assert.throws(() => renderTemplate("f", template, values), error));
  }

  it("knows the names that a template uses", () => {
    assert.deepEqual([...templateNames("{{a}} {{b.c}}\n{{a}}")], ["a", "b"]);
  });

  it("leaves braces of other languages alone", () => {
    assert.equal(
      renderTemplate("f", "awk '{ print $1 }' {{x}} $" + "{y}", { x: 1 }),
      "awk '{ print $1 }' 1 $" + "{y}",
    );
  });
});
