/* The table of all communities: links in it, and how it and the address keep in step. */
window.dashAgGridComponentFunctions = window.dashAgGridComponentFunctions || {};
window.dashAgGridComponentFunctions.NameLink = function (props) {
  var address = props.data && props.data.address;
  window.React.useEffect(
    function () {
      // The keyboard moves from cell to cell; on this one Enter opens the link.
      function open(event) {
        if (event.key === "Enter" && address) {
          window.location.assign(address);
        }
      }
      props.eGridCell.addEventListener("keydown", open);
      return function () {
        props.eGridCell.removeEventListener("keydown", open);
      };
    },
    [address, props.eGridCell]
  );
  if (!address) {
    return null;
  }
  return window.React.createElement(
    "div",
    { className: "table-of-communities-name" },
    window.React.createElement("a", { href: address, className: "name-link", tabIndex: -1 }, props.value)
  );
};

(function () {
  var FILTERS = ["name", "subdistrict", "company", "status", "evidence", "least", "group"];

  function orderIn(query) {
    return (query.get("sort") || "satisfaction_rank").split(",");
  }

  function orderOf(request) {
    return (request.sortModel || []).map(function (column) {
      return (column.sort === "desc" ? "-" : "") + column.colId;
    });
  }

  function applyOrder(api, order) {
    var state = order.map(function (name, place) {
      var column = name.replace(/^-/, "");
      return { colId: column, sort: name === column ? "asc" : "desc", sortIndex: place };
    });
    api.applyColumnState({ state: state, defaultState: { sort: null } });
  }

  function sortedAs(api) {
    return api
      .getColumnState()
      .filter(function (column) {
        return column.sort;
      })
      .sort(function (one, other) {
        return one.sortIndex - other.sortIndex;
      })
      .map(function (column) {
        return (column.sort === "desc" ? "-" : "") + column.colId;
      });
  }

  Object.assign(window.dash_clientside.jiayuan, {
    tableFollowsAddress: function (search) {
      var query = new URLSearchParams(search || "");
      var before = Array.prototype.slice.call(arguments, 1, 1 + FILTERS.length);
      var old = new URLSearchParams((arguments[1 + FILTERS.length] || "").replace(/^[^?]*/, ""));
      var same = FILTERS.every(function (name) {
        return (old.get(name) || "") === (query.get(name) || "");
      });
      var api = window.dash_ag_grid && window.dash_ag_grid.getApi("table-of-communities");
      if (api && sortedAs(api).join() !== orderIn(query).join()) {
        applyOrder(api, orderIn(query));
      } else if (api && !same) {
        api.paginationGoToFirstPage();
        api.purgeInfiniteCache();
      }
      var values = FILTERS.map(function (name, place) {
        var value = query.get(name) || "";
        return value === (before[place] || "") ? window.dash_clientside.no_update : value;
      });
      return values.concat("/dashboards/communities.csv" + (search || ""));
    },

    addressFollowsOrder: function (request, search) {
      var query = new URLSearchParams(search || "");
      var order = request ? orderOf(request) : [];
      if (order.length && order.join() !== orderIn(query).join()) {
        query.set("sort", order.join());
        window.dash_clientside.set_props("address", { search: "?" + query.toString() });
      }
    }
  });
})();
