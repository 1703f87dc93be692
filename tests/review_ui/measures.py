"""What a page measures in a real browser: targets, letters, contrast, width, and what axe finds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

_TARGETS = """() => {
  const seen = (node) => node.checkVisibility({ visibilityProperty: true }) && !node.matches('.skip');
  const inline = (node) => getComputedStyle(node).display === 'inline';
  const inSentence = (node) => node.matches('a') && inline(node) && node.closest('p, dd');
  return [...document.querySelectorAll('a, button, select, summary, input:not([type=hidden])')]
    .filter((node) => seen(node) && !inSentence(node))
    .map((node) => {
      const held = node.matches('[type=checkbox], [type=radio]') ? node.closest('label, td, th') || node : node;
      const box = held.getBoundingClientRect();
      return { name: (node.innerText || node.name || node.outerHTML).trim(), width: box.width, height: box.height };
    });
}"""
_LETTERS = """() => {
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const found = [];
  while (walker.nextNode()) {
    const node = walker.currentNode, holder = node.parentElement;
    if (!node.data.trim() || !holder.checkVisibility() || holder.closest('.sr, .skip, script')) continue;
    const style = getComputedStyle(holder), size = parseFloat(style.fontSize);
    found.push({ text: node.data.trim(), size, line: parseFloat(style.lineHeight) / size });
  }
  return found;
}"""
_CONTRAST = """(node) => {
  const parse = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const ground = (one) => {
    const [r, g, b, a = 1] = parse(getComputedStyle(one).backgroundColor);
    return a === 0 ? ground(one.parentElement) : [r, g, b];
  };
  const light = (rgb) => {
    const linear = (v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
    const [r, g, b] = rgb.map((value) => linear(value / 255));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ink = parse(getComputedStyle(node).color).slice(0, 3);
  const [high, low] = [light(ink), light(ground(node))].sort((a, b) => b - a);
  return (high + 0.05) / (low + 0.05);
}"""


@dataclass(frozen=True)
class Target:
    """Something to press, with the size of what can be hit, in CSS pixels."""

    name: str
    width: float
    height: float


@dataclass(frozen=True)
class Letters:
    """A stretch of text: its size in CSS pixels, and its line height as a multiple of that."""

    text: str
    size: float
    line: float


def targets(page: Page) -> list[Target]:
    """Return everything to press that can be seen, but for links inside a sentence."""
    return [Target(**one) for one in page.evaluate(_TARGETS)]


def small_targets(page: Page, least: float) -> list[Target]:
    """Return the targets that are smaller than they may be; half a pixel is lost in rounding."""
    return [one for one in targets(page) if min(one.width, one.height) < least - 0.5]


def letters(page: Page) -> list[Letters]:
    """Return every text that can be seen."""
    return [Letters(**one) for one in page.evaluate(_LETTERS)]


def contrast(page: Page, css: str) -> float:
    """Return the contrast of an element's text with its ground, 1 to 21."""
    return float(page.locator(css).evaluate(_CONTRAST))


def overflow(page: Page) -> int:
    """Return by how many pixels a page is wider than its window."""
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


def violations(page: Page) -> list[str]:
    """Return what axe finds wrong, each with its rule and the elements."""
    found: list[dict[str, Any]] = Axe().run(page).response["violations"]
    return [f"{one['id']}: {[node['html'][:120] for node in one['nodes'][:3]]}" for one in found]
