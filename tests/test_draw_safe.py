"""Hostile text in every slot of the page: none of it runs, all of it is shown as text, and nothing is asked for."""

import dataclasses
from pathlib import Path

import folium
import pytest
from xstatic.pkg import leaflet

from planner.draw import draw
from planner.model import Trips
from planner.scenario import parse_scenario
from tests import tiny as tiny_module
from tests.tiny import SCENARIO

pytestmark = pytest.mark.browser

COUNT = "window.ran = [];"
TEXTS = """() => [...document.querySelectorAll("body, body *")].flatMap((node) => [
  ...[...node.childNodes].filter((child) => child.nodeType === 3).map((child) => child.data),
  ...[...node.attributes].map((one) => one.value),
]).join("\\n")"""
FORCED = """async ([bait, elsewhere]) => {
  const refused = new Set();
  document.addEventListener("securitypolicyviolation", (event) => refused.add(event.effectiveDirective));
  const put = (tag, more) => document.body.append(Object.assign(document.createElement(tag), more));
  document.body.insertAdjacentHTML("beforeend", bait);
  put("script", { textContent: "ran.push('script')" });
  put("script", { src: elsewhere });
  put("img", { src: elsewhere });
  put("iframe", { src: elsewhere });
  put("link", { rel: "stylesheet", href: elsewhere });
  put("video", { src: elsewhere });
  put("style", { textContent: `body { background: url(${elsewhere}) }` });
  fetch(elsewhere).catch(() => {});
  navigator.sendBeacon(elsewhere);
  try { setTimeout("ran.push('timeout')"); } catch {}
  for (let i = 0; i < 10; i++) await new Promise((done) => setTimeout(done, 60));
  return [...refused];
}"""
VILLAGES = """async () => (await readData($("plan-data"))).villages.map(({ at }) => {
  const { x, y } = map_plan.latLngToContainerPoint(at), box = map_plan.getContainer().getBoundingClientRect();
  return [box.x + x, box.y + y];
})"""
ELSEWHERE = "https://elsewhere.invalid/"


def bait(slot):
    """Text that runs if it becomes a tag, ends a script, or is taken for a template; it says which slot it was in."""
    run = f"ran.push('{slot}')"
    return f'<img src=x onerror="{run}"></script><script>{run}</script>\'"`${{{run}}}` {{{{ {slot} }}}}'


def renamed(plan, ids):
    """A plan whose schools and villages have other ids."""
    columns = {"school_id", "into", "demand_id"}
    frames = {
        name: frame.assign(**{c: [ids.get(v, v) for v in frame[c]] for c in columns & set(frame)})
        for name, frame in {"actions": plan.actions, "assignment": plan.assignment}.items()
    }
    return dataclasses.replace(plan, **frames)


@pytest.fixture(scope="module")
def baited(tmp_path_factory):
    """A map with a bait of its own in every slot, and the slots' names."""
    slots = {}

    def put(slot):
        slots[slot] = bait(slot)
        return slots[slot]

    made = tiny_module.make()
    schools, demand, towns = (getattr(made.area, name) for name in ("schools", "demand", "towns"))
    ids = {key: put(f"id {key}") for key in [*schools.index, *demand.index]}
    town_ids = {key: bait(f"id {key}") for key in towns.index}  # nobody is shown a town's id
    names = {key: put(f"name {key}") for key in [*schools.index, *demand.index, *towns.index]}

    def dressed(frame):
        other = {"town_id": frame["town_id"].map(town_ids)} if "town_id" in frame else {}
        known = town_ids if frame is towns else ids
        return frame.assign(name=[names[key] for key in frame.index], **other).rename(index=known)

    area = dataclasses.replace(
        made.area,
        schools=dressed(schools),
        demand=dressed(demand),
        towns=dressed(towns),
        pupils=made.area.pupils.rename(index=ids),
        title=put("title"),
        attribution=(put("attribution"),),
        assumptions=(put("assumption"),),
        data_date=put("date"),
    )
    scenario = parse_scenario(SCENARIO).model_copy(update={"title": bait("scenario")})
    known = made.times.data
    known = known.assign_coords({dim: [ids[key] for key in known[dim].values] for dim in ("demand", "school")})
    common = {"area": area, "scenario": scenario, "times": dataclasses.replace(made.times, trips=Trips.of(known))}
    today = dataclasses.replace(renamed(made.today, ids), title=put("today"), notes=(put("note"),), **common)
    plan = dataclasses.replace(renamed(made.plan, ids), title=put("plan"), today=today, **common)
    path = draw(area, today, plan, lang="en").save(tmp_path_factory.mktemp("baited") / "map.html")
    return path, slots, ids


def look_everywhere(page, ids):
    """Everything that a reader can open, and all text that was there on the way."""
    seen = [page.evaluate(TEXTS)]
    for sign in page.locator("[data-school]").all():
        sign.dispatch_event("mouseover")
        sign.press("Enter")
        seen.append(page.evaluate(TEXTS))
    for village in (value for value in page.evaluate("[...places.options].map((o) => o.value)") if " · " in value):
        page.locator("#search").fill(village)
        seen.append(page.evaluate(TEXTS))
    page.evaluate("map_plan.eachLayer((layer) => layer.getTooltip && layer.getTooltip() && layer.openTooltip())")
    seen.append(page.evaluate(TEXTS))
    page.locator("#fit").click()
    for place in page.evaluate(VILLAGES):
        page.mouse.move(*place)
        seen.append(page.evaluate(TEXTS))
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    seen.append(page.evaluate(TEXTS))
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    page.locator("#views input").first.check(force=True)  # the layout before has notes of its own
    seen.append(page.evaluate(TEXTS))
    page.locator("#language").click()
    page.locator("#show-tables").click()
    for tab in page.locator("#listing-tabs label").all():
        tab.click()
        seen.append(page.evaluate(TEXTS))
    return "\n".join([*seen, page.evaluate(TEXTS), page.title()])


def test_no_slot_of_the_page_runs_and_every_text_is_shown(open_page, baited):
    path, slots, ids = baited
    page = open_page(path, before=COUNT, bypass_csp=True)  # escaping alone: the policy would stop what it missed
    seen = look_everywhere(page, ids)
    assert page.evaluate("ran") == []
    assert [slot for slot, text in slots.items() if text not in seen] == []
    assert page.title() == slots["title"]
    assert page.locator("img[src=x]").count() == 0


@pytest.mark.parametrize("held", [True, False], ids=["with the policy", "without"])
def test_the_policy_holds_where_escaping_would_fail(browser, baited, held):
    """Tags and scripts put into the page by force: nothing runs, and nothing is asked of any host."""
    page, asked = browser.new_page(bypass_csp=not held), []
    page.route(lambda url: not url.startswith(("file:", "data:")), lambda route: asked.append(route.request.url))
    page.add_init_script(COUNT)
    page.goto(baited[0].as_uri())
    refused = page.evaluate(FORCED, [bait("forced"), ELSEWHERE])
    assert (page.evaluate("ran") == []) is held
    assert (asked == []) is held
    needed = {"connect-src", "frame-src", "img-src", "media-src", "script-src-attr", "script-src-elem"}
    assert (needed <= set(refused)) is held
    page.close()


def plain_folium(slot):
    """The same bait in one slot of plain Folium; data is drawn by the library's own functions."""
    text = f"<img src=x onerror=\"ran.push('{slot}')\">"
    at, place = [35.1, 108.3], {"type": "Point", "coordinates": [108.3, 35.1]}
    feature = {"type": "Feature", "geometry": place, "properties": {"name": text}}
    places = {"type": "FeatureCollection", "features": [feature]}
    page = folium.Map(at, tiles=None)
    if slot == "page title":
        page.get_root().title = f"</title>{text}"
    elif slot == "popup":
        folium.CircleMarker(at, popup=text).add_to(page)
    elif slot == "tooltip":
        folium.CircleMarker(at, tooltip=text).add_to(page)
    elif slot == "GeoJson tooltip":
        folium.GeoJson(places, tooltip=folium.GeoJsonTooltip(["name"])).add_to(page)
    elif slot == "GeoJson alias":
        folium.GeoJson(places, tooltip=folium.GeoJsonTooltip(["name"], aliases=[text])).add_to(page)
    elif slot == "DivIcon":
        folium.Marker(at, icon=folium.DivIcon(html=text)).add_to(page)
    elif slot == "attribution":
        folium.TileLayer("data:,", attr=text).add_to(page)
    else:
        group = slot == "group name"
        layer = folium.FeatureGroup(text) if group else folium.TileLayer("data:,", attr="-", name=text)
        layer.add_to(page)
        folium.LayerControl(collapsed=False).add_to(page)
    return page.get_root().render()


FOLIUM_SLOTS = ["popup", "tooltip", "GeoJson tooltip", "GeoJson alias", "layer name", "group name", "attribution"]


@pytest.fixture(scope="module")
def folium_page(browser):
    """A page that counts what runs in it, and is given the two libraries that plain Folium would fetch."""
    library = (Path(leaflet.BASE_DIR) / "leaflet.js").read_text("utf-8")
    jquery = "window.$ = (html) => Object.assign(document.createElement('div'), { innerHTML: html }).children;"

    def fulfil(route):  # jQuery as little as it is used here
        url = route.request.url
        body = library if "leaflet.js" in url else jquery if "jquery" in url else ""
        route.fulfill(body=body, content_type="text/css" if "css" in url else "text/javascript")

    page = browser.new_page()
    page.add_init_script(COUNT)
    page.route(lambda url: url.startswith("https:"), fulfil)
    yield page
    page.close()


@pytest.mark.parametrize("slot", [*FOLIUM_SLOTS, "DivIcon", "page title"])
def test_the_bait_runs_in_plain_folium(folium_page, tmp_path, slot):
    """The control: the same check finds what plain Folium lets run."""
    path = tmp_path / "folium.html"
    path.write_text(plain_folium(slot), "utf-8")
    page = folium_page
    page.goto(path.as_uri())
    page.evaluate("""() => {
      const map = Object.entries(window).find(([name]) => name.startsWith("map_"))[1];
      map.eachLayer((layer) => { layer.openPopup && layer.openPopup(); layer.openTooltip && layer.openTooltip(); });
    }""")
    page.wait_for_function("ran.length > 0", timeout=3000)
    assert set(page.evaluate("ran")) == {slot}
